import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClockedBackend, startClockedBackend } from '../scripts/console-pictures/backend.ts';
import { gatewayEvents, MONTH, CUSTOMERS as SUBJECTS } from './gateway-events.ts';

const BATCH = 5_000;
/** Requests under way at the same time while the data is made. */
const AT_ONCE = 16;
/** Written last: what is in a folder without it is not whole. */
const NOTE = 'prepared.json';

/** How much there is. */
export interface Counts {
  customers: number;
  plans: number;
  events: number;
}

/** The ids whose pages are looked at. */
export interface Made {
  meter: string;
  feature: string;
  plan: string;
  customer: string;
  invoice: string;
}

export interface Prepared {
  backend: ClockedBackend;
  made: Made;
}

/** Two hours after the month, as any moment no boundary of anything: figures up to now have parts of windows at both ends. */
const NOW = new Date(MONTH.toMs + 7_200_000 + 451_000).toISOString();

/**
 * A backend with the data in it, the clock at that moment. A folder that an earlier call has filled with as
 * much is used again.
 * @throws Error when the folder holds something else
 */
export async function prepare(counts: Counts, folder: string, say: (text: string) => void): Promise<Prepared> {
  if (existsSync(join(folder, NOTE))) {
    const { made, ...there } = JSON.parse(readFileSync(join(folder, NOTE), 'utf8')) as Counts & { made: Made };
    if (JSON.stringify(there) !== JSON.stringify(counts)) throw new Error(`${folder} holds ${JSON.stringify(there)}`);
    say(`uses ${folder}`);
    return { backend: await startClockedBackend(NOW, folder), made };
  }
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length > 0) throw new Error(`${folder} is neither empty nor prepared`);
  const backend = await startClockedBackend(new Date(MONTH.fromMs).toISOString(), folder);
  const made = await makeData(backend, counts, say);
  backend.setNow(NOW);
  await backend.billingRuns.runner.request({ isFull: true, startedBy: 'schedule' });
  const beganAt = performance.now();
  await backend.billingRuns.runner.work();
  say(`billed in ${seconds(beganAt)} s`);
  const { data } = await backend.api('GET', `/billing/invoices?filter[customer_id]=${made.customer}`);
  const withInvoice = { ...made, invoice: data[0]?.id ?? '' };
  writeFileSync(join(folder, NOTE), JSON.stringify({ ...counts, made: withInvoice }));
  return { backend, made: withInvoice };
}

/** What the pages are measured on; the subjects of the events are keys of the first customers. */
async function makeData({ api, usage, setNow }: ClockedBackend, counts: Counts, say: (text: string) => void) {
  let beganAt = performance.now();
  const meter = await api('POST', '/built-in-meters/kong_konnect_api_request/enable');
  const feature = await api('POST', '/features', { key: 'requests', name: 'Requests', meter: { id: meter.id } });
  const card = {
    key: 'requests',
    name: 'Requests',
    feature: { id: feature.id },
    billing_cadence: 'P1M',
    price: { type: 'unit', amount: '0.001' },
    entitlement: { type: 'metered', limit: 1_000_000, is_soft_limit: false },
  };
  const plans: string[] = [];
  await each(counts.plans, async (index) => {
    const phases = [{ key: 'default', name: 'Default', rate_cards: [card] }];
    const body = { key: `plan_${index}`, name: `Plan ${index}`, currency: 'USD', billing_cadence: 'P1M', phases };
    const plan = await api('POST', '/plans', body);
    await api('POST', `/plans/${plan.id}/publish`);
    plans.push(plan.id);
  });
  const customers: string[] = [];
  await each(counts.customers, async (index) => {
    const customer = await api('POST', '/customers', { key: `customer-${index}`, name: `Customer ${index}` });
    await api('POST', '/subscriptions', {
      customer: { id: customer.id },
      plan: { id: plans[index % plans.length] },
    });
    customers[index] = customer.id;
  });
  say(`${counts.customers} customers on ${counts.plans} plans in ${seconds(beganAt)} s`);
  beganAt = performance.now();
  for (let done = 0; done < counts.events; done += BATCH) {
    const events = gatewayEvents(Math.min(BATCH, counts.events - done), done, (index) => `e${index}`, counts.events);
    setNow(new Date(events.at(-1)?.timeMs ?? MONTH.fromMs).toISOString());
    await usage.append(events);
  }
  say(`${counts.events.toLocaleString('en')} events of ${SUBJECTS} subjects in ${seconds(beganAt)} s`);
  return { meter: meter.id, feature: feature.id, plan: plans[0] ?? '', customer: customers[7] ?? '' };
}

/** Each index once, a few at a time. */
async function each(count: number, make: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async () => {
    for (let index = next++; index < count; index = next++) await make(index);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

const seconds = (sinceMs: number) => ((performance.now() - sinceMs) / 1000).toFixed(1);
