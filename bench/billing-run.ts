// What a billing run costs: customers with three cards each over many events.
//   node bench/billing-run.ts [--customers N] [--events N] [--dir FOLDER] [--keep]
// --keep leaves the prepared files: cp -r them, then node bench/billing-process.ts FOLDER 1769911200000 bills them.
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { type BillingMeasured, openBackend } from './billing-process.ts';
import { ratioLine } from './report.ts';

/** A run of 10,000 customers has to be over within the five minutes until the next one. */
const LIMIT_INVOICES_PER_SECOND = 34;
const BATCH = 5000;

const { values } = parseArgs({
  options: {
    customers: { type: 'string', default: '10000' },
    events: { type: 'string', default: '10000000' },
    dir: { type: 'string', default: tmpdir() },
    keep: { type: 'boolean', default: false },
  },
});
const customers = Number.parseInt(values.customers, 10);
const eventCount = Number.parseInt(values.events, 10);
const folder = mkdtempSync(join(values.dir, 'bench-billing-'));
let nowMs = Date.UTC(2026, 0, 1);
const clock = { nowMs: () => nowMs };
const prepared = await openBackend(folder, clock);
const { ask, usage } = prepared;

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
await prepared.startRollups();
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
await prepared.close();
if (values.keep) cpSync(folder, `${folder}-prepared`, { recursive: true });
const program = fileURLToPath(new URL('billing-process.ts', import.meta.url));
const { stdout } = await promisify(execFile)(process.execPath, [program, folder, String(nowMs)]);
const { seconds: took, failed, beforeMb, peakMb } = JSON.parse(stdout) as BillingMeasured;
const billed = await openBackend(folder, clock);
const { meta } = await billed.ask('GET', '/billing/invoices?filter[created_at][gte]=2026-02-01T00:00:00Z&page[size]=1');
await billed.close();
const invoices: number = meta.page.total;
say(`${invoices} invoices of three lines in ${took.toFixed(1)} s, ${failed} failed`);
say(`${Math.round(peakMb)} MB resident at most, ${Math.round(beforeMb)} MB before`);
say(ratioLine('invoices a second', [invoices / took], LIMIT_INVOICES_PER_SECOND));
rmSync(folder, { recursive: true, force: true });
if (values.keep) say(`${folder}-prepared`);
