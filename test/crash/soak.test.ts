/**
 * A steady load with everything on that runs by itself: ingest, queries, previews, entitlements, billing runs. What was sent
 * is there at the end, and memory is where it was early on.
 *   SOAK_MINUTES=120 npx vitest run test/crash/soak.test.ts
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type BackendProcess, createBackendProcess } from './support/backend-process.ts';

const LONG = process.env['LONG'] === '1';
const MINUTES = Number(process.env['SOAK_MINUTES'] ?? (LONG ? 120 : 0.1));
const CUSTOMERS = 20;
const EVENTS_PER_BATCH = 50;
/** Some 1,000 events/s: a quarter of what a small machine takes, so that it is steady. */
const BATCH_EVERY_MS = 50;
/** The limit of the Kubernetes manifest. */
const MAX_RESIDENT_MIB = 1024;
/** Heaps breathe; what leaks for two hours does more than that. */
const MAX_GROWTH = 1.25;

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Json = any;

test(`a load of ${MINUTES} minutes leaves everything counted and memory flat`, { timeout: 14_400_000 }, async () => {
  const backend = createBackendProcess();
  onTestFinished(() => backend.remove());
  await backend.start();
  const { meterId, customerIds } = await setUp(backend);
  const resident: number[] = [];
  const endsAt = performance.now() + MINUTES * 60_000;
  let sent = 0;
  for (let turn = 0; performance.now() < endsAt; turn++) {
    const startedAt = performance.now();
    const events = Array.from({ length: EVENTS_PER_BATCH }, () => soakEvent(sent++));
    await backend.post('/events', events);
    if (turn % 20 === 0) {
      await lookAround(backend, meterId, customerIds[(turn / 20) % CUSTOMERS] ?? '');
      resident.push(residentMib(backend.pid));
    }
    if (turn % 1200 === 100) await backend.post('/billing/runs', { full: true });
    await pause(Math.max(0, BATCH_EVERY_MS - (performance.now() - startedAt)));
  }
  await backend.post('/billing/runs', { full: true });
  await expect.poll(async () => ((await backend.get('/billing/runs')) as Json).data[0].stage).toBe('finished');
  const answer = (await backend.post(`/meters/${meterId}/query`, {})) as Json;
  expect(answer.data[0].value).toBe(String(sent));
  const runs = (await backend.get('/billing/runs')) as Json;
  expect(runs.data.map((run: Json) => run.failed)).toEqual(runs.data.map(() => 0));
  expect(Math.max(...resident)).toBeLessThan(MAX_RESIDENT_MIB);
  process.stdout.write(`resident: ${summary(resident)} MiB, ${sent} events\n`);
  // A process that has just begun is not yet as large as its work makes it.
  if (MINUTES < 5) return;
  const [early, late] = [quarter(resident, 1), quarter(resident, 3)];
  expect(late / early).toBeLessThan(MAX_GROWTH);
});

async function setUp(backend: BackendProcess): Promise<{ meterId: string; customerIds: string[] }> {
  const meter = (await backend.post('/meters', {
    name: 'Calls',
    key: 'calls',
    event_type: 'call',
    aggregation: 'count',
    dimensions: { route: '$.route' },
  })) as Json;
  const feature = (await backend.post('/features', { name: 'Calls', key: 'calls', meter: { id: meter.id } })) as Json;
  const card = {
    name: 'Calls',
    key: 'calls',
    feature: { id: feature.id },
    billing_cadence: 'P1M',
    price: { type: 'unit', amount: '0.001' },
    entitlement: { type: 'metered', limit: 1_000_000_000 },
  };
  const phases = [{ name: 'Default', key: 'default', rate_cards: [card] }];
  const plan = (await backend.post('/plans', {
    name: 'Calls',
    key: 'calls',
    currency: 'USD',
    billing_cadence: 'P1M',
    phases,
  })) as Json;
  await backend.post(`/plans/${plan.id}/publish`, {});
  const customerIds: string[] = [];
  for (let number = 0; number < CUSTOMERS; number++) {
    const key = `customer-${number}`;
    const customer = (await backend.post('/customers', {
      name: key,
      key,
      currency: 'USD',
      usage_attribution: { subject_keys: [key] },
    })) as Json;
    await backend.post('/subscriptions', { customer: { id: customer.id }, plan: { id: plan.id } });
    customerIds.push(customer.id);
  }
  return { meterId: meter.id, customerIds };
}

function soakEvent(number: number): object {
  return {
    specversion: '1.0',
    id: `soak-${number}`,
    source: 'soak',
    type: 'call',
    subject: `customer-${number % CUSTOMERS}`,
    data: { route: `/route-${number % 7}` },
  };
}

async function lookAround(backend: BackendProcess, meterId: string, customerId: string): Promise<void> {
  await backend.post(`/meters/${meterId}/query`, {
    granularity: 'PT1H',
    group_by_dimensions: ['subject', 'route'],
  });
  await backend.get('/events');
  await backend.get(`/customers/${customerId}/invoice-preview`);
  await backend.post('/entitlement-access/query', { customer: { keys: ['customer-1'] }, feature: { keys: ['calls'] } });
}

function residentMib(pid: number | undefined): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}

function quarter(values: readonly number[], which: 0 | 1 | 2 | 3): number {
  const size = values.length / 4;
  const own = values.slice(Math.floor(which * size), Math.floor((which + 1) * size)).sort((a, b) => a - b);
  return own[own.length >> 1] ?? Number.NaN;
}

function summary(values: readonly number[]): string {
  return ([0, 1, 2, 3] as const).map((which) => quarter(values, which).toFixed(0)).join(', ');
}
