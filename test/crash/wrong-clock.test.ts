/** The machine's clock is wrong for a moment, by 500 days. Nothing that it would bill or remove may happen. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_TOKEN, type BackendProcess, createBackendProcess } from './support/backend-process.ts';

const DAY_MS = 86_400_000;
const SHIFT_MS = 500 * DAY_MS;
const SHIFTED_CLOCK = fileURLToPath(new URL('./support/shifted-clock.mjs', import.meta.url));

let folder: string;
let backend: BackendProcess;
const shiftBy = (ms: number) => writeFileSync(join(folder, 'shift'), `${ms}`);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wrong-clock-'));
  shiftBy(0);
  backend = createBackendProcess({
    command: [process.execPath, '--import', SHIFTED_CLOCK],
    environment: { CLOCK_SHIFT_FILE: join(folder, 'shift'), EVENT_RETENTION_DAYS: '30' },
  });
  await backend.start();
});
afterAll(async () => {
  await backend.remove();
  rmSync(folder, { recursive: true, force: true });
});

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Json = any;
const ready = async (): Promise<Json> =>
  (await fetch(`${backend.url}/readyz`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })).json();
const isNearNow = (instant: string) => Math.abs(Date.parse(instant) - Date.now()) < DAY_MS;
const startRun = () => backend.post('/billing/runs', { full: true });

async function createCustomerWithFee(): Promise<string> {
  const { id } = (await backend.post('/customers', { key: 'acme', name: 'Acme', currency: 'USD' })) as Json;
  const dueAt = new Date(Date.now() + 30 * DAY_MS).toISOString();
  await backend.post(`/customers/${id}/charges`, {
    type: 'flat_fee',
    name: 'Fee',
    currency: 'USD',
    invoice_at: dueAt,
    service_period: { from: dueAt, to: dueAt },
    settlement_mode: 'credit_then_invoice',
    payment_term: 'in_advance',
    proration_configuration: { mode: 'no_proration' },
    amount_before_proration: { amount: '48', currency: 'USD' },
  });
  return id;
}

test('a clock that is ahead by 500 days, also while the backend begins, bills, removes and dates nothing', async () => {
  const customerId = await createCustomerWithFee();
  const time = new Date().toISOString();
  await backend.post('/events', [
    { specversion: '1.0', id: 'e', source: 's', type: 't', subject: 'acme', time, data: {} },
  ]);
  const audited = async () => ((await backend.get('/audit-log?page[size]=100')) as Json).data.length;
  const before = await audited();
  expect(await ready()).toMatchObject({ status: 'ready', checks: { clock: { status: 'ok' } } });

  shiftBy(SHIFT_MS);
  for (const begins of [false, true]) {
    if (begins) {
      await backend.kill();
      await backend.start();
    }
    await expect(startRun()).rejects.toThrow('503');
    const { status, checks } = await ready();
    expect([status, checks.clock.status]).toEqual(['degraded', 'degraded']);
    expect(checks.clock.detail).toContain('billing, the removal of old data');
    const other = (await backend.post('/customers', { key: `c-${begins}`, name: 'C' })) as Json;
    expect(isNearNow(other.created_at)).toBe(true);
    const { now, machine, trusted } = (await backend.get('/machine-clock')) as Json;
    expect([isNearNow(now), isNearNow(machine), trusted]).toEqual([true, false, false]);
  }

  shiftBy(0);
  expect(await ready()).toMatchObject({ status: 'ready', checks: { clock: { status: 'ok' } } });
  await startRun();
  await expect.poll(async () => ((await backend.get('/billing/runs')) as Json).data[0].stage).toBe('finished');
  expect(((await backend.get(`/billing/invoices?filter[customer_id]=${customerId}`)) as Json).data).toEqual([]);
  expect(((await backend.get('/events')) as Json).data).toHaveLength(1);
  expect(await audited()).toBeGreaterThan(before);
});

test('a clock that somebody confirms is believed, and what waited goes on', async () => {
  shiftBy(SHIFT_MS);
  await expect(backend.post('/machine-clock/confirm', { time: new Date().toISOString() })).rejects.toThrow('409');
  await expect(startRun()).rejects.toThrow('503');
  const time = new Date(Date.now() + SHIFT_MS).toISOString();
  expect(await backend.post('/machine-clock/confirm', { time })).toMatchObject({ trusted: true });
  expect(await ready()).toMatchObject({ checks: { clock: { status: 'ok' } } });
  await backend.kill();
  await backend.start();
  await startRun();
  await expect.poll(async () => ((await backend.get('/billing/invoices')) as Json).data.length).toBe(1);
});
