// What a billing run costs: customers with three cards each over many events.
//   node bench/billing-run.ts [--customers N] [--events N] [--dir FOLDER]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createBackend, startRollups } from '../backend/app.ts';
import { createAccessTokens } from '../backend/modules/access-tokens/index.ts';
import { openControlDb } from '../backend/platform/db/control-db.ts';
import { createIds } from '../backend/platform/ids.ts';
import { createLogger } from '../backend/platform/log.ts';
import { openSqliteUsageStore } from '../backend/usage-store/index.ts';
import { ratioLine } from './report.ts';

/** A run of 10,000 customers has to be over within the five minutes until the next one. */
const LIMIT_INVOICES_PER_SECOND = 34;
const BATCH = 5000;

const { values } = parseArgs({
  options: {
    customers: { type: 'string', default: '10000' },
    events: { type: 'string', default: '10000000' },
    dir: { type: 'string', default: tmpdir() },
  },
});
const customers = Number.parseInt(values.customers, 10);
const eventCount = Number.parseInt(values.events, 10);
const folder = mkdtempSync(join(values.dir, 'bench-billing-'));
let nowMs = Date.UTC(2026, 0, 1);
const clock = { nowMs: () => nowMs };
const newId = createIds(clock);
const usage = await openSqliteUsageStore(join(folder, 'usage.sqlite'), clock);
const db = openControlDb(
  join(folder, 'control.sqlite'),
  fileURLToPath(new URL('../backend/migrations', import.meta.url)),
);
const token = 'bench-token-0123456789';
const tokens = await createAccessTokens({ db, clock, newId, configured: [{ name: 'bench', role: 'admin', token }] });
const log = createLogger('error');
const backend = createBackend({ usage, db, clock, newId, log, tokens, maxBodyBytes: 20_000_000, version: 'bench' });

async function ask(method: string, path: string, body?: unknown) {
  const answer = await backend.app.request(`/v3/openmeter${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

async function publishPlan(): Promise<string> {
  const cards: unknown[] = [
    {
      key: 'fee',
      name: 'Fee',
      billing_cadence: 'P1M',
      payment_term: 'in_advance',
      price: { type: 'flat', amount: '10' },
    },
  ];
  for (const key of ['calls', 'tokens']) {
    const aggregation = key === 'calls' ? 'count' : 'sum';
    const value = key === 'calls' ? {} : { value_property: '$.value' };
    const meter = await ask('POST', '/meters', { key, name: key, event_type: 'call', aggregation, ...value });
    const feature = await ask('POST', '/features', { key, name: key, meter: { id: meter.id } });
    const price = { type: 'unit', amount: '0.001' };
    cards.push({ key, name: key, billing_cadence: 'P1M', feature: { id: feature.id }, price });
  }
  const phases = [{ key: 'default', name: 'Default', rate_cards: cards }];
  const draft = await ask('POST', '/plans', { key: 'p', name: 'P', currency: 'USD', billing_cadence: 'P1M', phases });
  await ask('POST', `/plans/${draft.id}/publish`);
  return draft.id;
}

const say = (text: string) => process.stdout.write(`${text}\n`);
const seconds = (fromMs: number) => (performance.now() - fromMs) / 1000;

const planId = await publishPlan();
await startRollups({ usage, db });
let beganAt = performance.now();
for (let index = 0; index < customers; index += 1) {
  const customer = await ask('POST', '/customers', { key: `c${index}`, name: `Customer ${index}` });
  await ask('POST', '/subscriptions', { customer: { id: customer.id }, plan: { id: planId } });
}
say(`${customers} customers subscribed and their first invoices issued in ${seconds(beganAt).toFixed(1)} s`);
beganAt = performance.now();
const monthMs = 31 * 86_400_000;
for (let stored = 0; stored < eventCount; stored += BATCH) {
  const events = Array.from({ length: Math.min(BATCH, eventCount - stored) }, (_, index) => {
    const number = stored + index;
    return {
      source: 'bench',
      id: `e${number}`,
      type: 'call',
      subject: `c${number % customers}`,
      timeMs: Date.UTC(2026, 0, 1) + Math.floor((number / eventCount) * monthMs),
      data: `{"value":${number % 100}}`,
      ingestedAtMs: nowMs,
    };
  });
  await usage.append(events);
}
say(`${eventCount} events stored in ${seconds(beganAt).toFixed(1)} s`);
nowMs = Date.UTC(2026, 1, 1, 2);
await backend.invoices.runner.request({ isFull: true, startedBy: 'schedule' });
beganAt = performance.now();
await backend.invoices.runner.work();
const took = seconds(beganAt);
const [run] = (await ask('GET', '/billing/runs')).data;
const { meta } = await ask('GET', '/billing/invoices?filter[created_at][gte]=2026-02-01T00:00:00Z&page[size]=1');
const invoices: number = meta.page.total;
const rssMb = Math.round(process.memoryUsage().rss / 1_048_576);
say(`${invoices} invoices of three lines in ${took.toFixed(1)} s, ${run.failed} failed; ${rssMb} MB resident`);
say(ratioLine('invoices a second', [invoices / took], LIMIT_INVOICES_PER_SECOND));
await usage.close();
await db.close();
rmSync(folder, { recursive: true, force: true });
