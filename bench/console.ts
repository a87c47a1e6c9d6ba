// Whether every page of the console stays usable with many customers, plans and events: time to the first content of each.
//   npm run bench:console -- [--customers N] [--plans N] [--events N] [--rounds N] [--data FOLDER]
// With --data the databases are made in that folder, kept, and used again the next time.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { chromium, type Page } from 'playwright-core';
import { TOKENS } from '../scripts/console-pictures/backend.ts';
import { type Made, prepare } from './console-data.ts';
import { ratioLine } from './report.ts';

const LIMIT_MS = 1_000;
const LIMIT_KB = 250;
const DIST = fileURLToPath(new URL('../dist/console', import.meta.url));
const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

const { values } = parseArgs({
  options: {
    customers: { type: 'string', default: '10000' },
    plans: { type: 'string', default: '200' },
    events: { type: 'string', default: '10000000' },
    rounds: { type: 'string', default: '3' },
    data: { type: 'string' },
  },
});
const counts = {
  customers: Number.parseInt(values.customers, 10),
  plans: Number.parseInt(values.plans, 10),
  events: Number.parseInt(values.events, 10),
};
const rounds = Number.parseInt(values.rounds, 10);
const say = (text: string) => process.stdout.write(`${text}\n`);

/** Pages with what has to be seen on them: their data, not only their frame. */
function pages(made: Made): [path: string, content: string][] {
  return [
    ['/', '[aria-labelledby=usage-now] .figure'],
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
    [`/billing/customers/${made.customer}/entitlements`, '[role=meter]'],
    [`/billing/customers/${made.customer}/settings`, 'input'],
    ['/billing/invoices', 'tbody tr'],
    [`/billing/invoices/${made.invoice}`, 'tbody tr'],
    ['/search?q=customer-99', 'li'],
    [`/search?q=${made.invoice}`, 'li'],
    ['/settings/billing-profiles', 'tbody tr'],
    ['/settings/currencies', 'tbody tr'],
    ['/settings/jobs', 'tbody tr'],
    ['/settings/sources', '.empty'],
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

const folder = values.data ?? mkdtempSync(join(tmpdir(), 'bench-console-'));
const { backend, made } = await prepare(counts, folder, say);
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
try {
  const context = await browser.newContext({
    baseURL: backend.url,
    viewport: { width: 1280, height: 900 },
    // Days of a zone that begin within those of the roll-ups.
    timezoneId: 'America/New_York',
  });
  const page = await context.newPage();
  await page.clock.setFixedTime(new Date(backend.nowMs()));
  await page.goto('/');
  await page.getByLabel('Access token').fill(TOKENS.admin);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  say(ratioLine('initial JavaScript, gzipped', [initialScriptKb() / LIMIT_KB], 1, 'at most'));
  for (const [path, content] of pages(made)) {
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
  if (values.data === undefined) rmSync(folder, { recursive: true, force: true });
}
