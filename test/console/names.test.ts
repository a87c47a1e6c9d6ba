import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { click, hasBrowser, launchBrowser, openTab, signIn, type Tab } from '../support/browser.ts';
import { expectAccessible } from './support/accessibility.ts';
import { type ConsoleBackend, startConsoleBackend } from './support/console-backend.ts';
import { type Made, makeSmallBusiness } from './support/small-business.ts';

describe.skipIf(!hasBrowser)('what pages call by name, and what they do not know yet', () => {
  let browser: Browser;
  let backend: ConsoleBackend;
  let made: Made;
  let tab: Tab;
  beforeAll(async () => {
    [browser, backend] = await Promise.all([launchBrowser(), startConsoleBackend()]);
    made = await makeSmallBusiness(backend);
  });
  afterAll(async () => {
    await browser.close();
    await backend.stop();
  });
  beforeEach(async () => {
    tab = await openTab(browser, backend.url);
    await tab.page.goto('/billing/invoices');
    await signIn(tab.page, TOKENS.admin);
  });
  afterEach(async () => {
    tab.expectNoComplaints();
    await tab.close();
  });

  test('customers of events have names, by a few requests for all of them', async () => {
    const { page, open } = tab;
    const time = new Date().toISOString();
    const subjects = ['one', 'two', 'three', 'four', 'team, five'];
    for (const [index, subject] of subjects.entries()) {
      // Some by their key, some by a subject key; and one that no list of values can hold.
      const own = index % 2 === 0 && !subject.includes(',') ? { key: subject } : { key: `key-${index}` };
      const usage_attribution = own.key === subject ? {} : { usage_attribution: { subject_keys: [subject] } };
      await backend.api('POST', '/customers', { name: `Customer ${subject}`, ...own, ...usage_attribution });
    }
    const events = [...subjects, ...subjects].map((subject, index) => ({ id: `named-${index}`, subject }));
    await backend.api(
      'POST',
      '/events',
      events.map((event) => ({ ...event, source: 'test', type: 'kong.api_request', time, data: {} })),
    );
    const asked: string[] = [];
    page.on('request', (request) => {
      const path = new URL(request.url()).pathname;
      if (path.startsWith('/v3/openmeter/customers')) asked.push(path);
    });
    await open('/metering/events');
    for (const subject of subjects) {
      const links = page.getByRole('cell').getByRole('link', { name: `Customer ${subject}`, exact: true });
      await expect.poll(() => links.count()).toBe(2);
    }
    expect(asked).toHaveLength(3);
    await page.getByRole('button', { name: 'Show event named-0' }).click();
    await page.getByRole('dialog').getByRole('link', { name: 'Customer one' }).click();
    await page.getByRole('heading', { name: 'Customer one', level: 1 }).waitFor();
  });

  test('so have the meter of a feature, whose usage is shown, and what a correction was for', async () => {
    const { page, open } = tab;
    await open(`/product-catalog/features/${made.feature}`);
    await page.getByRole('link', { name: 'API Gateway Requests' }).waitFor();
    await backend.api('POST', '/events/corrections', {
      action: 'void',
      reason: 'a test',
      filter: { customer_id: { eq: made.customer }, id: { in: ['none', 'neither'] } },
      dry_run: false,
    });
    await open('/settings/corrections');
    await page.getByText('customer is Alice').waitFor();
    await page.getByText('id is one of none, neither').waitFor();
    await open(`/metering/meters/${made.meter}`);
    await page.getByLabel('Filter by').selectOption({ label: 'customer' });
    await page.getByLabel('Customer').selectOption({ label: 'Alice (alice)' });
    await expect.poll(() => page.getByTestId('usage-value').allTextContents()).toEqual(['1']);
    await open('/settings/audit-log');
    await page.getByRole('row', { name: 'create-customer' }).getByText('“Alice”').waitFor();
  });

  test('of a long list one chooses by a search on the server; of a short one as ever', async () => {
    const { page, open } = tab;
    const creating = Array.from({ length: 100 }, (_, index) => ({ name: `Filler ${index}`, key: `filler_${index}` }));
    for (const feature of creating) await backend.api('POST', '/features', feature);
    await backend.api('POST', '/features', { name: 'Zebra rides', key: 'zebra' });
    await open(`/billing/customers/${made.customer}/charges/new`);
    const feature = page.getByLabel('Feature', { exact: true });
    expect(await feature.getByText('Zebra rides').count()).toBe(0);
    await page.getByLabel('Search in Feature').fill('ZEBRA');
    await feature.selectOption({ label: 'Zebra rides' });
    await page.getByLabel('Search in Feature').fill('Filler 9');
    await expect.poll(() => feature.locator('option').count()).toBe(13);
    expect(await feature.locator('option:checked').textContent()).toContain('Zebra rides');
    await expectAccessible(page);
    await open('/metering/events');
    await page.getByLabel('Filter').selectOption({ label: 'customer id' });
    await page.getByLabel('Customer').selectOption({ label: 'Alice (alice)' });
    expect(await page.getByLabel('Search in Customer').count()).toBe(0);
    await click(page, 'Add filter');
    await page.getByText('customer id equals “Alice”').waitFor();
  });

  test('a figure of the home page is not zero before there is an answer', async () => {
    const { page, open } = tab;
    const { promise: isSeen, resolve: goOn } = Promise.withResolvers<void>();
    await page.route(/sources|unattributed-subjects|ingest-totals/, async (route) => {
      await isSeen;
      await route.continue();
    });
    const opening = open('/');
    const cards = page.getByRole('region', { name: 'Gateway' });
    await expect.poll(() => cards.getByText('Loading').count()).toBe(4);
    expect(await cards.textContent()).not.toMatch(/\d|No event is missing/);
    goOn();
    await opening;
    await cards.getByText('No event is missing.').waitFor();
    expect(await cards.getByText('Loading').count()).toBe(0);
  });
});
