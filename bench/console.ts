// Whether every page of the console stays usable with many customers, plans and events: time to the first content of each.
//   npm run bench:console -- [--customers N] [--plans N] [--events N] [--rounds N] [--dir FOLDER]
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { chromium, type Page } from 'playwright-core';
import { type ClockedBackend, startClockedBackend, TOKENS } from '../scripts/console-pictures/backend.ts';
import { gatewayEvents, MONTH, CUSTOMERS as SUBJECTS } from './gateway-events.ts';
import { ratioLine } from './report.ts';

const LIMIT_MS = 1_000;
const LIMIT_KB = 250;
const BATCH = 5_000;
/** Requests under way at the same time while the data is made. */
const AT_ONCE = 16;
const DIST = fileURLToPath(new URL('../dist/console', import.meta.url));
const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

const { values } = parseArgs({
  options: {
    customers: { type: 'string', default: '10000' },
    plans: { type: 'string', default: '200' },
    events: { type: 'string', default: '10000000' },
    rounds: { type: 'string', default: '3' },
    dir: { type: 'string', default: tmpdir() },
  },
});
const counts = {
  customers: Number.parseInt(values.customers, 10),
  plans: Number.parseInt(values.plans, 10),
  events: Number.parseInt(values.events, 10),
};
const rounds = Number.parseInt(values.rounds, 10);
const say = (text: string) => process.stdout.write(`${text}\n`);

/** Each index once, a few at a time. */
async function each(count: number, make: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async () => {
    for (let index = next++; index < count; index = next++) await make(index);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** What the pages are measured on; the subjects of the events are keys of the first customers. */
async function makeData({ api, usage, nowMs }: ClockedBackend) {
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
    await usage.append(events.map((event) => ({ ...event, ingestedAtMs: nowMs() })));
  }
  say(`${counts.events.toLocaleString('en')} events of ${SUBJECTS} subjects in ${seconds(beganAt)} s`);
  return { meter: meter.id, feature: feature.id, plan: plans[0] ?? '', customer: customers[7] ?? '' };
}

const seconds = (sinceMs: number) => ((performance.now() - sinceMs) / 1000).toFixed(1);

/** Pages with what has to be seen on them: their data, not only their frame. */
function pages(made: Awaited<ReturnType<typeof makeData>>, invoice: string): [path: string, content: string][] {
  return [
    ['/', '.figure'],
    ['/metering', 'tbody tr'],
    ['/metering/events', 'tbody tr'],
    ['/metering/events?subject.eq=customer-7', 'tbody tr'],
    [`/metering/meters/${made.meter}`, 'canvas'],
    ['/product-catalog/features', 'tbody tr'],
    [`/product-catalog/features/${made.feature}`, '.facts'],
    ['/product-catalog/plans', 'tbody tr'],
    ['/product-catalog/plans?q=Plan+19', 'tbody tr'],
    [`/product-catalog/plans/${made.plan}`, 'tbody tr'],
    ['/product-catalog/addons', '.empty'],
    ['/billing/customers', 'tbody tr'],
    ['/billing/customers?q=999&sort=name+desc', 'tbody tr'],
    [`/billing/customers/${made.customer}`, '.facts'],
    [`/billing/customers/${made.customer}/invoicing`, 'tbody tr'],
    [`/billing/customers/${made.customer}/entitlements`, 'meter'],
    [`/billing/customers/${made.customer}/settings`, 'input'],
    ['/billing/invoices', 'tbody tr'],
    [`/billing/invoices/${invoice}`, 'tbody tr'],
    ['/settings/billing-profiles', 'tbody tr'],
    ['/settings/currencies', 'tbody tr'],
    ['/settings/jobs', 'tbody tr'],
    ['/settings/gateway-nodes', '.empty'],
    ['/settings/corrections', '.empty'],
  ];
}

/** From the address to the page's data on the screen, loaded anew as after a reload. */
async function firstContentMs(page: Page, path: string, content: string): Promise<number> {
  const startedAt = performance.now();
  await page.goto(path, { waitUntil: 'commit' });
  await page.locator(`main ${content}`).first().waitFor({ timeout: 60_000 });
  return performance.now() - startedAt;
}

function initialScriptKb(): number {
  const start = readFileSync(join(DIST, 'index.html'), 'utf8');
  const files = [...start.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map(([, file]) => file ?? '');
  return files.reduce((sum, file) => sum + gzipSync(readFileSync(join(DIST, file))).length, 0) / 1000;
}

const backend = await startClockedBackend(new Date(MONTH.fromMs).toISOString(), values.dir);
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
try {
  const made = await makeData(backend);
  backend.setNow(new Date(MONTH.toMs + 7_200_000).toISOString());
  await backend.invoices.runner.request({ isFull: true, startedBy: 'schedule' });
  const beganAt = performance.now();
  await backend.invoices.runner.work();
  say(`billed in ${seconds(beganAt)} s`);
  const { data } = await backend.api('GET', `/billing/invoices?filter[customer_id]=${made.customer}`);
  const context = await browser.newContext({ baseURL: backend.url, viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.clock.setFixedTime(new Date(backend.nowMs()));
  await page.goto('/');
  await page.getByLabel('Access token').fill(TOKENS.admin);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  say(ratioLine('initial JavaScript, gzipped', [initialScriptKb() / LIMIT_KB], 1, 'at most'));
  for (const [path, content] of pages(made, data[0]?.id ?? '')) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) times.push(await firstContentMs(page, path, content));
    const name = path.replaceAll(/[0-9A-Z]{26}/g, '…');
    const first = Math.round(times[0] ?? 0);
    say(
      `${ratioLine(
        `first content of ${name}`,
        times.map((ms) => ms / LIMIT_MS),
        1,
        'at most',
      )}; first ${first} ms`,
    );
  }
} finally {
  await browser.close();
  await backend.stop();
}
