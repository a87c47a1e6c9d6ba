import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openControlDb } from '../../../backend/platform/db/control-db.ts';
import { billLine, fee, openStory, usage } from '../../scenarios/billing/story.ts';

const PROCESS = fileURLToPath(new URL('./billing-process.ts', import.meta.url));
const isLong = process.env['LONG'] === '1';
const CUSTOMERS = isLong ? 2000 : 30;
const ROUNDS = isLong ? 50 : 4;
const AS_OF = '2026-03-02T00:00:00Z';
/** Longer than a lease: each process finds that the one before is dead. */
const NEXT_PROCESS_MS = 120_000;

/** Customers with a fee and usage over two months that nobody has billed, and a run that is noted. */
async function prepare(): Promise<string> {
  const story = await openStory('2026-01-01T00:00:00Z');
  const plan = await story.plan('p', [fee('10'), usage('0.5')]);
  for (let index = 0; index < CUSTOMERS; index += 1) {
    const key = `c${index}`;
    const { id } = await story.ok('POST', '/customers', { key, name: `Customer ${index}` });
    await story.ok('POST', '/subscriptions', { customer: { id }, plan: { id: plan.id } });
    await story.events('2026-01-10T00:00:00Z', (index % 5) + 1, { subject: key });
    await story.events('2026-02-10T00:00:00Z', index % 3, { subject: key });
  }
  story.backend.clock.set(AS_OF);
  await story.backend.invoices.runner.request({ isFull: true, startedBy: 'schedule' });
  const folder = mkdtempSync(join(tmpdir(), 'billing-'));
  cpSync(story.backend.dataDir, folder, { recursive: true });
  await story.close();
  return folder;
}

/** Bills in a process of its own. @param killAfterMs after it was ready; undefined: it may end @returns whether it ended */
async function bill(folder: string, nowMs: number, killAfterMs: number | undefined): Promise<boolean> {
  const child = spawn(process.execPath, [PROCESS, folder, String(nowMs)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('ready')) resolve();
    });
  });
  if (killAfterMs !== undefined) {
    await Promise.race([ready, ended]);
    await Promise.race([pause(killAfterMs), ended]);
    child.kill('SIGKILL');
  }
  await ended;
  return output.includes('done');
}

/** All invoices without what differs between two runs of the same: ids, and times of the machine. */
async function allBills(folder: string): Promise<{ bills: string[]; numbers: number[] }> {
  const db = openControlDb(
    join(folder, 'control.sqlite'),
    fileURLToPath(new URL('../../../backend/migrations', import.meta.url)),
  );
  const { invoiceRepository } = await import('../../../backend/modules/invoices/repository.ts');
  const { lineRepository } = await import('../../../backend/modules/invoices/lines/repository.ts');
  const { toInvoiceBody } = await import('../../../backend/modules/invoices/body.ts');
  const sort = { field: 'created_at', direction: 'asc' } as const;
  const { invoices } = await invoiceRepository(db).page([], sort, { number: 1, size: 1_000_000 });
  const bills: string[] = [];
  for (const invoice of invoices) {
    const body = toInvoiceBody(invoice, await lineRepository(db).ofInvoice(invoice.id), undefined);
    bills.push(`${invoice.customer.key} ${invoice.status} ${billLine(body)}`);
  }
  await db.close();
  const numbers = invoices
    .filter(({ status }) => status === 'paid')
    .map(({ number }) => Number(number.split('-').at(-1)));
  return { bills: bills.sort(), numbers: numbers.sort((a, b) => a - b) };
}

test(
  `a billing run that is killed ${ROUNDS} times ends as one that is not`,
  async () => {
    const prepared = await prepare();
    const [whole, killed] = ['whole', 'killed'].map((name) => `${prepared}-${name}`) as [string, string];
    for (const folder of [whole, killed]) cpSync(prepared, folder, { recursive: true });
    const startMs = Date.parse(AS_OF);
    const beganAt = performance.now();
    expect(await bill(whole, startMs, undefined)).toBe(true);
    const wholeMs = performance.now() - beganAt;
    let kills = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const isDone = await bill(killed, startMs + round * NEXT_PROCESS_MS, Math.random() * (wholeMs / ROUNDS));
      if (!isDone) kills += 1;
    }
    expect(kills).toBeGreaterThan(0);
    expect(await bill(killed, startMs + ROUNDS * NEXT_PROCESS_MS, undefined)).toBe(true);
    const [expected, actual] = [await allBills(whole), await allBills(killed)];
    // Two billing periods, of which the first fee was invoiced when the subscription began.
    expect(expected.bills).toHaveLength(CUSTOMERS * 3);
    expect(actual.bills).toEqual(expected.bills);
    // No number is missing, none was given twice.
    expect(actual.numbers).toEqual(actual.numbers.map((_, index) => index + 1));
    for (const folder of [prepared, whole, killed]) rmSync(folder, { recursive: true, force: true });
  },
  isLong ? 3_600_000 : 120_000,
);

test('two processes do not bill at the same time', async () => {
  const folder = await prepare();
  const atMs = Date.parse(AS_OF);
  const outcomes = await Promise.all([bill(folder, atMs, undefined), bill(folder, atMs, undefined)]);
  expect(outcomes).toContain(true);
  const { bills, numbers } = await allBills(folder);
  expect(bills).toHaveLength(CUSTOMERS * 3);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  rmSync(folder, { recursive: true, force: true });
}, 120_000);
