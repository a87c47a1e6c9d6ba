// Takes the pictures of the console that the documentation shows, of a business that is made up anew each time: npm run console:pictures
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type ClockedBackend, startClockedBackend, TOKENS } from './console-pictures/backend.ts';
import { NOW, type Seeded, START, seed } from './console-pictures/seed.ts';

const IMAGES = fileURLToPath(new URL('../docs/images', import.meta.url));
const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

interface Picture {
  name: string;
  path: string;
  scheme?: 'light' | 'dark';
  /** What is clicked before it is taken, by its name. */
  clicks?: readonly string[];
  /** What is waited for: charts come after the page. */
  shows?: string;
}

function pictures(made: Seeded): Picture[] {
  return [
    { name: 'console-home', path: '/', shows: 'canvas' },
    { name: 'console-home-dark', path: '/', scheme: 'dark', shows: 'canvas' },
    { name: 'console-meter', path: `/metering/meters/${made.meters.requests}`, shows: 'canvas' },
    { name: 'console-event', path: '/metering/events?subject.eq=new-partner', clicks: ['Show event gateway-eu-1-1'] },
    { name: 'console-plan', path: `/product-catalog/plans/${made.plans.draft}` },
    {
      name: 'console-rate-card',
      path: `/product-catalog/plans/${made.plans.draft}/phases/default/rate-cards/requests`,
      clicks: ['Next Step'],
    },
    {
      name: 'console-entitlements',
      path: `/billing/customers/${made.customer}/entitlements`,
      clicks: ['Grants and history'],
      shows: 'canvas',
    },
    {
      name: 'console-preview',
      path: `/billing/customers/${made.customer}/invoicing`,
      clicks: ['Preview Invoice'],
      shows: '[data-testid=invoice-total]',
    },
    { name: 'console-invoice', path: `/billing/invoices/${made.invoices.issued}` },
    { name: 'console-sources', path: '/settings/sources' },
  ];
}

/** A tab that is signed in, in which it is always the same moment. */
async function openTab(browser: Browser, backend: ClockedBackend, scheme: 'light' | 'dark'): Promise<Page> {
  const context = await browser.newContext({
    baseURL: backend.url,
    viewport: { width: 1280, height: 800 },
    colorScheme: scheme,
    reducedMotion: 'reduce',
    locale: 'en-US',
    timezoneId: 'UTC',
  });
  const page = await context.newPage();
  await page.clock.setFixedTime(new Date(NOW));
  await page.goto('/');
  await page.getByLabel('Access token').fill(TOKENS.admin);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  return page;
}

mkdirSync(IMAGES, { recursive: true });
const backend = await startClockedBackend(START);
// Drawn in parts, round corners would differ by where the parts met.
const args = ['--no-sandbox', '--disable-gpu', '--disable-partial-raster'];
const browser = await chromium.launch({ executablePath: CHROMIUM, args });
try {
  const made = await seed(backend);
  const tabs = { light: await openTab(browser, backend, 'light'), dark: await openTab(browser, backend, 'dark') };
  for (const { name, path, scheme = 'light', clicks = [], shows = 'h1' } of pictures(made)) {
    const page = tabs[scheme];
    await page.goto(path);
    await page.locator('h1').waitFor();
    await page.waitForLoadState('networkidle');
    for (const click of clicks) {
      await page.getByRole('button', { name: click, exact: true }).first().click();
      await page.waitForLoadState('networkidle');
    }
    await page.locator(shows).first().waitFor();
    await page.waitForLoadState('networkidle');
    await page.screenshot({ path: join(IMAGES, `${name}.png`) });
    process.stdout.write(`${name}.png\n`);
  }
} finally {
  await browser.close();
  await backend.stop();
}
