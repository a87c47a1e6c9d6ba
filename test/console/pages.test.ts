import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { click, hasBrowser, launchBrowser, openTab, signIn } from '../support/browser.ts';
import { seriousViolations } from './support/accessibility.ts';
import { type ConsoleBackend, startConsoleBackend } from './support/console-backend.ts';
import { makeCustomerOfDrafts } from './support/form-business.ts';
import { type Made, makeSmallBusiness } from './support/small-business.ts';

/** What can be pressed, followed or switched below the navigation, by its name. */
const CHANGING = `[...document.querySelectorAll('main button:not(:disabled), main a, main input[role=switch]:not(:disabled)')]
  .map((element) => element.getAttribute('aria-label') ?? (element.closest('label') ?? element).textContent.trim())`;
/** Words that buttons begin with which change something on the server. */
const CHANGES =
  /^(Add (?!filter)|Advance|Apply|Approve|Archive|Attribute|Cancel S|Change|Correct |Create(?!d)|Delete|Do not|Enable|Grant$|Install|Invoice Now|Make|Mark|Migrate|New|Override|Publish|Put |Remove (?!filter)|Resend|Reset|Rotate|Restore|Revoke|Save|Send |Start|Take off|Uninstall|Void)/;

describe.skipIf(!hasBrowser)('every page', () => {
  let browser: Browser;
  let backend: ConsoleBackend;
  let made: Made;
  /** Pages of what has long names, keys and types. */
  let long: string[];
  beforeAll(async () => {
    [browser, backend] = await Promise.all([launchBrowser(), startConsoleBackend()]);
    made = await makeSmallBusiness(backend);
    const name = 'Österreichische Gesellschaft für außerordentlich lange Firmennamen GmbH & Co. KG';
    const key = `org_${'x'.repeat(120)}`;
    const subjects = { subject_keys: ['k'.repeat(200)] };
    const customer = await backend.api('POST', '/customers', { name, key, usage_attribution: subjects });
    const event_type = `com.example.${'x'.repeat(80)}.v1`;
    const longKey = 'x'.repeat(64);
    const meter = await backend.api('POST', '/meters', { name, key: longKey, event_type, aggregation: 'count' });
    const feature = await backend.api('POST', '/features', { name, key: longKey, meter: { id: meter.id } });
    long = [
      `/billing/customers/${customer.id}/settings`,
      `/metering/meters/${meter.id}`,
      `/product-catalog/features/${feature.id}`,
    ];
  });
  afterAll(async () => {
    await browser.close();
    await backend.stop();
  });

  const pages = () => [
    '/',
    '/metering',
    '/metering/events',
    '/metering/meters/new',
    `/metering/meters/${made.meter}`,
    '/product-catalog/features',
    '/product-catalog/features/new',
    `/product-catalog/features/${made.feature}`,
    '/product-catalog/plans',
    '/product-catalog/plans/new',
    `/product-catalog/plans/${made.plan}`,
    '/product-catalog/addons',
    '/product-catalog/addons/new',
    `/product-catalog/addons/${made.addon}`,
    `/product-catalog/addons/${made.addon}/rate-cards/new`,
    '/billing/customers',
    '/billing/customers/new',
    `/billing/customers/${made.customer}`,
    `/billing/customers/${made.customer}/subscriptions/new`,
    `/billing/customers/${made.customer}/charges/new`,
    `/billing/customers/${made.customer}/invoicing`,
    `/billing/customers/${made.customer}/entitlements`,
    `/billing/customers/${made.customer}/settings`,
    '/billing/invoices',
    '/settings/billing-profiles',
    '/settings/billing-profiles/new',
    `/settings/billing-profiles/${made.profile}`,
    '/settings/currencies',
    '/settings/jobs',
    '/settings/apps',
    '/settings/tax-codes',
    '/settings/tax-rates',
    '/settings/notifications',
    '/settings/notifications/deliveries',
    '/settings/sources',
    '/settings/corrections',
    '/settings/sessions',
    '/settings/api-tokens',
    '/settings/audit-log',
    '/search?q=requests',
    '/no/such/page',
  ];

  test.each([
    ['light and wide', { colorScheme: 'light', width: 1600 }],
    ['dark and narrow', { colorScheme: 'dark', width: 360 }],
  ] as const)('is accessible, complains of nothing and does not scroll sideways: %s', async (_name, options) => {
    const { width } = options;
    const { page, open, expectNoComplaints, close } = await openTab(browser, backend.url, options);
    await page.goto('/');
    await signIn(page, TOKENS.admin);
    const wrong: unknown[] = [];
    // Each page in one of the two, and in both in the long form.
    const shown = pages().filter(
      (_path, index) => process.env['LONG'] === '1' || index % 2 === (width === 360 ? 1 : 0),
    );
    for (const path of [...shown, ...long]) {
      await open(path);
      for (const violation of await seriousViolations(page)) wrong.push({ path, ...violation });
      const overflow = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      if (overflow !== 0) wrong.push({ path, overflow });
      // What was asked for is here: what still seems to be on the way was never asked for.
      const loading = await page.locator('main [aria-busy="true"]').count();
      if (loading !== 0) wrong.push({ path, loading });
    }
    expect(wrong).toEqual([]);
    expectNoComplaints();
    await close();
  });

  test('offers a viewer nothing that it may not do, on no page; one that is only for that says so', async () => {
    const { page, open, refusals, expectNoComplaints, close } = await openTab(browser, backend.url);
    await page.goto('/');
    await signIn(page, TOKENS.viewer);
    const wrong: unknown[] = [];
    const refusing: string[] = [];
    const card = `/product-catalog/plans/${made.plan}/phases/default/rate-cards`;
    for (const path of [...pages(), `${card}/new`, `${card}/requests`]) {
      await open(path);
      if (await page.getByText('Your role does not allow this').isVisible()) refusing.push(path);
      const names = (await page.evaluate(CHANGING)) as string[];
      const changing = names.filter((name) => CHANGES.test(name));
      if (changing.length > 0) wrong.push({ path, changing });
    }
    expect(wrong).toEqual([]);
    const own = ['/settings/api-tokens', '/settings/audit-log'];
    expect(refusing.sort()).toEqual([...pages().filter((path) => path.endsWith('/new')), ...own, `${card}/new`].sort());
    expect(refusals).toEqual([]);
    expectNoComplaints();
    await close();
  });

  test('a page of what is not there says so and leads back; a draft is deleted after a question', async () => {
    const { page, open, expectNoComplaints, close } = await openTab(browser, backend.url);
    await page.goto('/');
    await signIn(page, TOKENS.admin);
    const none = '01JC0000000000000000000000';
    for (const list of [
      '/product-catalog/features',
      '/product-catalog/plans',
      '/product-catalog/addons',
      '/billing/customers',
      '/billing/invoices',
      '/settings/billing-profiles',
    ]) {
      await open(`${list}/${none}`);
      await page.getByRole('heading', { level: 1, name: 'Not found' }).waitFor();
      const trail = page.getByRole('navigation', { name: 'Breadcrumb' }).getByRole('link');
      expect(await trail.getAttribute('href'), list).toBe(list);
    }
    const phases = [{ key: 'a', name: 'A', rate_cards: [] }];
    const body = { key: 'draft_only', name: 'Draft only', currency: 'USD', billing_cadence: 'P1M', phases };
    const draft = await backend.api('POST', '/plans', body);
    await open(`/product-catalog/plans/${draft.id}`);
    await click(page, 'Delete Draft');
    await page.keyboard.press('Escape');
    await click(page, 'Delete Draft');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete Draft' }).click();
    await page.getByText('The draft is deleted.').waitFor();
    expectNoComplaints();
    await close();
  });

  test('an event is made void with a reason: its figure goes, and comes back when it is restored', async () => {
    const { page, expectNoComplaints, close } = await openTab(browser, backend.url);
    await page.goto(`/metering/meters/${made.meter}`);
    await signIn(page, TOKENS.admin);
    await expect.poll(() => page.getByTestId('usage-value').allTextContents()).toEqual(['2']);
    await click(page, 'Metering');
    await click(page, 'Events');
    await page.getByRole('button', { name: 'Show event page-bob' }).click();
    await page.getByText('no customer found for event subject: bob').first().waitFor();
    await page.getByText('counts it', { exact: false }).first().waitFor();
    await page.getByLabel('Reason').fill('sent by a load test');
    await click(page, 'Void');
    await page.getByText('The event is void').waitFor();
    await page.goto(`/metering/meters/${made.meter}`);
    await expect.poll(() => page.getByTestId('usage-value').allTextContents()).toEqual(['1']);
    await page.goto('/settings/corrections');
    await page.getByText('sent by a load test').waitFor();
    await page.goto('/metering/events');
    await page.getByRole('button', { name: 'Show event page-bob' }).click();
    await page.getByLabel('Reason').fill('it was not');
    await click(page, 'Restore');
    await page.getByText('The event counts again.').waitFor();
    // Many at once: what the list's filters find, counted before it is done.
    await page.goto('/metering/events?subject.eq=bob');
    await click(page, 'Correct all of these…');
    await click(page, 'Preview');
    await page
      .locator('.k-input', { has: page.getByLabel('Reason') })
      .getByText(/must not be empty/)
      .waitFor();
    await page.getByLabel('Reason').fill('all of bob');
    await click(page, 'Preview');
    await page.getByTestId('correction-count').waitFor();
    await click(page, 'Cancel');
    expectNoComplaints();
    await close();
  });

  test('a subject that nobody has is attributed to a customer', async () => {
    // One without a subscription: the subjects of others cannot be changed.
    const carol = await backend.api('POST', '/customers', { name: 'Carol', key: 'carol' });
    const { page, expectNoComplaints, close } = await openTab(browser, backend.url);
    await page.goto('/metering/events');
    await signIn(page, TOKENS.admin);
    await page.getByRole('button', { name: 'Show event page-bob' }).click();
    await page.getByLabel('Customer', { exact: true }).selectOption({ label: 'Carol (carol)' });
    await click(page, 'Attribute');
    await page.getByText("Usage of bob is Carol's").waitFor();
    const customer = await backend.api('GET', `/customers/${carol.id}`);
    expect(customer.usage_attribution.subject_keys).toContain('bob');
    expectNoComplaints();
    await close();
  });

  test('a customer has more of its allowance by a grant; the billing profile and the jobs are looked after', async () => {
    const { page, expectNoComplaints, close } = await openTab(browser, backend.url);
    await page.goto(`/billing/customers/${made.customer}/entitlements`);
    await signIn(page, TOKENS.admin);
    await expect.poll(() => page.getByTestId('balance').textContent()).toBe('99');
    await click(page, 'Grants and history');
    await click(page, 'Create Grant');
    await click(page, 'Grant');
    await page
      .locator('.k-input', { has: page.getByLabel('Amount') })
      .getByText(/decimal/)
      .waitFor();
    await page.getByLabel('Amount').fill('50');
    await expect(seriousViolations(page)).resolves.toEqual([]);
    await click(page, 'Grant');
    await expect.poll(() => page.getByTestId('balance').textContent()).toBe('149');

    await page.goto(`/settings/billing-profiles/${made.profile}`);
    await page.getByLabel('Wait for Late Usage Events').fill('an hour');
    await click(page, 'Save');
    await page.getByText(/must be an ISO 8601 duration/).waitFor();
    await page.getByLabel('Wait for Late Usage Events').fill('PT2H');
    await click(page, 'Save');
    await page.getByText('is saved.').waitFor();
    const profile = await backend.api('GET', `/profiles/${made.profile}`);
    expect(profile.workflow.collection.interval).toBe('PT2H');

    await page.goto('/settings/jobs');
    await click(page, 'Start Billing Run');
    await page.getByRole('cell', { name: 'hand' }).waitFor();
    expectNoComplaints();
    await close();
  });

  test('a draft is changed line by line, each line is followed back, and the invoice is there as a PDF', async () => {
    const dora = await makeCustomerOfDrafts(backend);
    const { page, expectNoComplaints, close } = await openTab(browser, backend.url);
    await page.goto(`/billing/customers/${dora}/invoicing`);
    await signIn(page, TOKENS.admin);
    await click(page, 'Invoice Now');
    await page.getByRole('dialog').getByRole('button', { name: 'Invoice Now' }).click();
    await page.getByRole('table').getByRole('link').first().click();
    await click(page, 'Add Line');
    await page.getByLabel('Name').fill('Workshop');
    await page.getByLabel('Amount (USD)').fill('a lot');
    await click(page, 'Save');
    const field = page.locator('.k-input', { has: page.getByLabel('Amount (USD)') });
    await field.getByText(/decimal/).waitFor();
    await page.getByLabel('Amount (USD)').fill('2.50');
    await click(page, 'Save');
    await expect.poll(() => page.getByTestId('invoice-total').textContent()).toBe('$12.50');
    await click(page, 'How it came about: Workshop');
    await page.getByText('A fee is billed without any.').waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await click(page, 'Remove Setup');
    await expect.poll(() => page.getByTestId('invoice-total').textContent()).toBe('$2.50');
    await click(page, 'Approve');
    await click(page, 'Mark as Paid');
    await page.getByLabel('Reference').fill('R-77');
    await click(page, 'Record Payment');
    await page.getByText('paid', { exact: true }).first().waitFor();
    await page.getByText('Payment of 2.5 USD recorded').waitFor();
    await page.getByRole('cell', { name: 'R-77' }).waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    const downloaded = page.waitForEvent('download');
    await click(page, 'Download PDF');
    expect((await downloaded).suggestedFilename()).toMatch(/\.pdf$/);
    expectNoComplaints();
    await close();
  });
});
