// What a check of entitlements costs late in a usage period against early in it: a backend at the end of the first day of a
// month and one at the end of its last, 1,000 customers with a metered entitlement, asked in turn as gateways ask.
//   npm run bench:access -- [--events N] [--rounds N]
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createTestBackend, type TestBackend } from '../test/support/backend.ts';
import { CUSTOMERS, gatewayEvents, MONTH } from './gateway-events.ts';
import { ratioLine } from './report.ts';

const BATCH = 1000;
const LIMIT = 2;
const DAY_MS = 86_400_000;
const FOLDING_MS = 15_000;
/** Off every boundary of the roll-ups. */
const MINUTES_BEFORE_MIDNIGHT_MS = 23 * 60_000;

const { values } = parseArgs({
  options: { events: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '50' } },
});
const events = Number.parseInt(values.events, 10);
const rounds = Number.parseInt(values.rounds, 10);
const days = (MONTH.toMs - MONTH.fromMs) / DAY_MS;

const early = await backendAt(MONTH.fromMs + DAY_MS, Math.floor(events / days));
const late = await backendAt(MONTH.toMs, events);
// The youngest events are folded into the roll-ups as soon as nothing is stored any more.
await pause(FOLDING_MS);
for (const [what, keys] of [
  ['access of one customer', ['customer-7']],
  ['access of 100 customers', Array.from({ length: 100 }, (_, index) => `customer-${index}`)],
] as const) {
  const times = { early: [] as number[], late: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    times.early.push(await check(early, keys));
    times.late.push(await check(late, keys));
  }
  const p50 = { early: median(times.early), late: median(times.late) };
  const line = ratioLine(`${what}, last day / first day`, [p50.late / p50.early], LIMIT, 'at most');
  process.stdout.write(`${line}; p50 ${p50.late.toFixed(1)} ms and ${p50.early.toFixed(1)} ms\n`);
}
await early.close();
await late.close();
process.exit(0);

/** A backend at an instant, with all that was used until then. */
async function backendAt(endMs: number, count: number): Promise<TestBackend> {
  const backend = await createTestBackend({ start: new Date(MONTH.fromMs).toISOString() });
  const post = async (path: string, body?: unknown) => {
    const { status, json, text } = await backend.request('POST', path, body === undefined ? {} : { body });
    if (status >= 300) throw new Error(`${path}: ${status} ${text}`);
    return json as { id: string };
  };
  const meter = await post('/built-in-meters/kong_konnect_api_request/enable');
  const feature = await post('/features', { name: 'Calls', key: 'calls', meter: { id: meter.id } });
  for (let index = 0; index < CUSTOMERS; index++) {
    const key = `customer-${index}`;
    const { id } = await post('/customers', { name: key, key });
    await post(`/customers/${id}/entitlements`, {
      type: 'metered',
      feature: { id: feature.id },
      usage_period: { interval: 'P1M' },
      issue: { amount: '1000000' },
    });
  }
  for (let done = 0; done < count; done += BATCH) {
    await backend.usage.append(gatewayEvents(Math.min(BATCH, count - done), done, () => randomUUID(), events));
  }
  backend.clock.set(new Date(endMs - MINUTES_BEFORE_MIDNIGHT_MS).toISOString());
  process.stdout.write(`${count.toLocaleString('en')} events until ${new Date(endMs).toISOString()}\n`);
  return backend;
}

async function check(backend: TestBackend, keys: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const body = { customer: { keys }, feature: { keys: ['calls'] } };
  const { status, json } = await backend.request('POST', '/entitlement-access/balances?page[size]=100', { body });
  const elapsedMs = performance.now() - startedAt;
  const used = (json as { data: { features: { calls: { usage: string } } }[] }).data.map(
    (row) => row.features.calls.usage,
  );
  if (status !== 200 || used.length !== keys.length || used.includes('0'))
    throw new Error(`answered ${status}: ${used}`);
  return elapsedMs;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}
