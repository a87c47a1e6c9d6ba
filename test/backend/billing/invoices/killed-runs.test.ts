import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { fee, openStory, type Story, usage } from '../../../scenarios/billing/story.ts';
import { copyFolder } from '../../../support/control-engine.ts';
import { createRandom } from '../../../support/random.ts';
import { allIds, comparableTables, issuedNumbers } from './billing-tables.ts';

const PROCESS = fileURLToPath(new URL('./billing-process.ts', import.meta.url));
const isLong = process.env['LONG'] === '1';
const CUSTOMERS = isLong ? 2000 : 60;
const ROUNDS = isLong ? 50 : 2;
const AS_OF = '2026-04-02T00:00:00Z';
/** Longer than a lease: each process finds that the one before is dead. */
const NEXT_PROCESS_MS = 120_000;

const base = mkdtempSync(join(tmpdir(), 'billing-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const folderOf = (name: string) => join(base, name);

/**
 * Customers with a fee and usage. January is billed; then some have late events, some voided ones, some another plan,
 * and some end. February and March are to be billed by a run that is noted.
 */
async function prepare(): Promise<string> {
  const story = await openStory('2026-01-01T00:00:00Z');
  const [small, large] = [await story.plan('small', [fee('31'), usage('0.5')]), await story.plan('large', [fee('62')])];
  const subscriptions: { id: string; customer_id: string }[] = [];
  for (let index = 0; index < CUSTOMERS; index += 1) {
    const { id } = await story.ok('POST', '/customers', { key: `c${index}`, name: 'Some Customer' });
    subscriptions.push(await story.ok('POST', '/subscriptions', { customer: { id }, plan: { id: small.id } }));
  }
  await manyEvents(story, '2026-01-10T00:00:00Z', (index) => (index % 5) + 1);
  await story.at('2026-02-01T02:00:00Z');
  await manyEvents(story, '2026-01-20T00:00:00Z', (index) => (index % 3 === 0 ? 2 : 0));
  await manyEvents(story, '2026-02-10T00:00:00Z', (index) => index % 4);
  await manyEvents(story, '2026-03-10T00:00:00Z', (index) => (index % 7 === 0 ? 0 : 3));
  for (const subject of ['c2', 'c7', 'c31']) {
    const filter = { time: { lt: '2026-01-15T00:00:00Z' }, subject: { eq: subject } };
    await story.ok('POST', '/events/corrections', { action: 'void', reason: 'test traffic', filter });
  }
  story.backend.clock.set('2026-02-11T00:00:00Z');
  for (const [index, { id, customer_id }] of subscriptions.entries()) {
    const change = { customer: { id: customer_id }, plan: { id: large.id }, timing: 'immediate' };
    if (index % 5 === 1) await story.ok('POST', `/subscriptions/${id}/change`, change);
    if (index % 10 === 3) await story.ok('POST', `/subscriptions/${id}/cancel`, { timing: 'next_billing_cycle' });
  }
  story.backend.clock.set(AS_OF);
  await story.backend.billingRuns.runner.request({ isFull: true, startedBy: 'schedule' });
  await copyFolder(story.backend.dataDir, folderOf('prepared'));
  await story.close();
  return folderOf('prepared');
}

async function manyEvents(story: Story, time: string, countOf: (index: number) => number): Promise<void> {
  const events = Array.from({ length: CUSTOMERS }, (_, index) =>
    Array.from({ length: countOf(index) }, (_, number) => {
      const id = `${time} ${index} ${number}`;
      return { specversion: '1.0', id, source: 'kills', type: 'calls', subject: `c${index}`, time };
    }),
  ).flat();
  for (let from = 0; from < events.length; from += 1000)
    await story.ok('POST', '/events', events.slice(from, from + 1000));
}

/**
 * Bills in a process of its own.
 * @param killAfterMs after it was ready; undefined: it may end
 * @returns whether it ended, and how long it took since it was ready
 */
async function bill(folder: string, nowMs: number, killAfterMs?: number): Promise<{ isDone: boolean; tookMs: number }> {
  const child = spawn(process.execPath, [PROCESS, folder, String(nowMs)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  let readyAt: number | undefined;
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (!output.includes('ready')) return;
      readyAt ??= performance.now();
      resolve();
    });
  });
  if (killAfterMs !== undefined) {
    await Promise.race([ready, ended]);
    await Promise.race([pause(killAfterMs), ended]);
    child.kill('SIGKILL');
  }
  await ended;
  return { isDone: output.includes('done'), tookMs: performance.now() - (readyAt ?? 0) };
}

test(
  `a billing run of ${CUSTOMERS} customers that is killed ends as one that is not, ${ROUNDS} times`,
  async () => {
    const prepared = await prepare();
    const keptIds = await allIds(prepared);
    const whole = folderOf('whole');
    await copyFolder(prepared, whole);
    const startMs = Date.parse(AS_OF);
    // Two at a time: one of them bills.
    const outcomes = await Promise.all([bill(whole, startMs), bill(whole, startMs)]);
    expect(outcomes.some(({ isDone }) => isDone)).toBe(true);
    let wholeMs = Math.max(...outcomes.map(({ tookMs }) => tookMs));
    const expected = await comparableTables(whole, keptIds);
    // A fee and usage for two months each, less those that ended; one fee was invoiced when the subscription began.
    expect(expected['invoices']?.length).toBeGreaterThan(CUSTOMERS * 3.5);
    expect(expected['billing_corrections']?.length).toBeGreaterThan(CUSTOMERS / 3);
    const seed = Date.now();
    const random = createRandom(seed);
    let kills = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const folder = folderOf(`round-${round}`);
      await copyFolder(prepared, folder);
      let nowMs = startMs;
      // One to three processes die on the way.
      const deaths = random.between(1, isLong ? 3 : 1);
      let isDone = false;
      for (let death = 0; death < deaths && !isDone; death += 1) {
        const outcome = await bill(folder, nowMs, (random.next() * wholeMs) / deaths);
        isDone = outcome.isDone;
        if (!isDone) kills += 1;
        // The machine is faster than before: later kills have to come sooner.
        else if (death === 0) wholeMs = Math.min(wholeMs, outcome.tookMs);
        nowMs += NEXT_PROCESS_MS;
      }
      if (!isDone) expect(await bill(folder, nowMs)).toMatchObject({ isDone: true });
      const actual = await comparableTables(folder, keptIds);
      for (const table of Object.keys(expected)) {
        expect({ seed, round, table, rows: actual[table] }).toEqual({ seed, round, table, rows: expected[table] });
      }
      // No number is missing, none was given twice.
      const numbers = await issuedNumbers(folder);
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
      rmSync(folder, { recursive: true, force: true });
      if (isLong) process.stdout.write(`round ${round + 1}: ${deaths} deaths, ${kills} kills so far\n`);
    }
    expect(kills).toBeGreaterThan(0);
  },
  isLong ? 7_200_000 : 600_000,
);
