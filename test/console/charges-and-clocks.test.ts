import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { click, hasBrowser, launchBrowser, openTab, signIn, type Tab } from '../support/browser.ts';
import { expectAccessible } from './support/accessibility.ts';
import { type ConsoleBackend, startConsoleBackend } from './support/console-backend.ts';
import { type Made, makeSmallBusiness } from './support/small-business.ts';

describe.skipIf(!hasBrowser)('what a customer is charged by hand, and its test clock', () => {
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
    await tab.page.goto('/billing/customers');
    await signIn(tab.page, TOKENS.admin);
  });
  afterEach(async () => {
    tab.expectNoComplaints();
    await tab.close();
  });

  const fieldOf = (page: Page, label: string) =>
    page.locator('.k-input, .field-frame', { has: page.getByLabel(label, { exact: true }) }).last();
  const createCustomer = async (key: string): Promise<string> =>
    (await backend.api('POST', '/customers', { name: key, key, currency: 'USD' })).id;

  test('a fee is charged by hand; what is wrong stands under its field; the list has pages', async () => {
    const { page, open } = tab;
    const customer = await createCustomer('Charged');
    await open(`/billing/customers/${customer}/invoicing`);
    await page.getByText('No charges yet').waitFor();
    await click(page, 'Add charge');
    await click(page, 'Save');
    await fieldOf(page, 'Name')
      .getByText(/must not be empty/)
      .waitFor();
    await fieldOf(page, 'Amount (USD)')
      .getByText(/decimal/)
      .waitFor();
    await expectAccessible(page);
    await page.getByLabel('Name').fill('Setup');
    await page.getByLabel('Amount (USD)').fill('25');
    await page.getByLabel('Service period from').fill('2026-02-01T00:00');
    await page.getByLabel('Service period to').fill('2026-01-01T00:00');
    await click(page, 'Save');
    await fieldOf(page, 'Service period to')
      .getByText(/must not end before/)
      .waitFor();
    await page.getByLabel('Service period to').fill('2026-02-15T00:00');
    await page.getByText('The amount is for a longer period').click();
    await page.getByLabel('Full period to').fill('2026-03-01T00:00');
    await click(page, 'Show as cURL');
    await page.getByText(`/v3/openmeter/customers/${customer}/charges`).first().waitFor();
    await page.keyboard.press('Escape');
    await click(page, 'Save');
    await page.getByText('Setup is charged.').waitFor();
    const row = page.getByRole('row', { name: 'Setup' });
    await row.getByText('by hand').waitFor();
    // Fourteen of twenty-eight days.
    await row.getByText('$12.50').waitFor();
    await expectAccessible(page);

    const at = '2026-01-01T00:00:00Z';
    for (let number = 1; number <= 20; number++) {
      await backend.api('POST', `/customers/${customer}/charges`, {
        name: `Fee ${number}`,
        type: 'flat_fee',
        currency: 'USD',
        invoice_at: at,
        service_period: { from: at, to: at },
        settlement_mode: 'credit_then_invoice',
        payment_term: 'in_advance',
        proration_configuration: { mode: 'no_proration' },
        amount_before_proration: { amount: '1', currency: 'USD' },
      });
    }
    await page.reload();
    await page.getByText('21 in all').waitFor();
    await click(page, 'Next');
    await page.getByText('Page 2 of 2').waitFor();
    expect(page.url()).toContain('charges-page=2');
    await page.getByLabel('Status of charges').selectOption({ label: 'Deleted' });
    await page.getByText('Nothing matches').waitFor();
  });

  test('usage of a feature is charged by hand, with what it comes to so far', async () => {
    const { page, open } = tab;
    const customer = await createCustomer('metered');
    await open(`/billing/customers/${customer}/charges/new`);
    await page.getByLabel('Name').fill('Burst');
    await page.getByLabel('Pricing model').selectOption({ label: 'Usage based' });
    await page.getByLabel('Price per unit').fill('dear');
    await click(page, 'Save');
    await fieldOf(page, 'Price per unit')
      .getByText(/decimal/)
      .waitFor();
    await page.getByLabel('Price per unit').fill('0.25');
    await click(page, 'Save');
    await fieldOf(page, 'Feature')
      .getByText(/required/)
      .waitFor();
    await page.getByLabel('Feature').selectOption({ label: 'Requests' });
    const [before, after] = [-1, 1].map((days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 16));
    await page.getByLabel('Service period from').fill(before ?? '');
    await page.getByLabel('Service period to').fill(after ?? '');
    await click(page, 'Save');
    const row = page.getByRole('row', { name: 'Burst' });
    await row.getByText('$0.00').waitFor();
    const event = { source: 'test', type: 'kong.api_request', subject: 'metered', time: new Date().toISOString() };
    await backend.api('POST', '/events', [
      { id: 'burst-1', ...event, data: {} },
      { id: 'burst-2', ...event, data: {} },
    ]);
    await page.reload();
    await row.getByText('$0.50').waitFor();
    await row.getByText('so far').waitFor();
    await page.goto(`/billing/customers/${made.customer}/invoicing`);
    await page.getByRole('row', { name: 'Requests' }).getByRole('link', { name: 'subscription' }).first().click();
    await page.getByRole('heading', { name: 'Pro' }).waitFor();
  });

  test('a customer is put on a test clock, which moves, shows how far it is, and is taken off', async () => {
    const { page, open } = tab;
    const customer = await createCustomer('sandbox');
    await open(`/billing/customers/${customer}/settings`);
    await page.getByText('The customer lives in real time.').waitFor();
    const put = async (at: string) => {
      await click(page, 'Put on a test clock');
      await page.getByLabel("The customer's now").fill(at);
      await page.getByRole('dialog').getByRole('button', { name: 'Put on a test clock' }).click();
    };
    await put('2500-01-01T00:00');
    await fieldOf(page, "The customer's now")
      .getByText(/between 1970 and 2200/)
      .waitFor();
    await expectAccessible(page);
    await page.getByLabel("The customer's now").fill('2027-01-31T00:00');
    await page.getByRole('dialog').getByRole('button', { name: 'Put on a test clock' }).click();
    const badge = page.locator('h1 ~ .k-badge', { hasText: 'Test clock ·' });
    await badge.getByText('Jan 31, 2027').waitFor();
    await click(page, 'Take off');
    await page.getByRole('dialog').getByRole('button', { name: 'Take off' }).click();
    await page.getByText('The customer lives in real time.').waitFor();
    expect(await badge.count()).toBe(0);
    await put('2027-01-31T00:00');
    await badge.getByText('Jan 31, 2027').waitFor();
    await expect.poll(() => page.locator('dialog[open]').count()).toBe(0);

    await page.getByLabel('Duration').fill('a while');
    await click(page, 'Advance');
    await fieldOf(page, 'Duration')
      .getByText(/ISO 8601 duration/)
      .waitFor();
    await page.getByLabel('Duration').fill('P1M');
    await click(page, 'Advance');
    await badge.getByText('Feb 28, 2027').waitFor();
    await backend.api('POST', '/subscriptions', { customer: { id: customer }, plan: { id: made.plan } });

    await page.getByLabel('Advance', { exact: true }).selectOption({ label: 'To an instant' });
    await page.getByLabel('Instant').fill('2027-02-01T00:00');
    await click(page, 'Advance');
    await fieldOf(page, 'Instant')
      .getByText(/forward only/)
      .waitFor();
    await page.getByLabel('Instant').fill('2027-04-01T00:00');
    // On its way as long as the test wants.
    const { promise: isSeen, resolve: goOn } = Promise.withResolvers<void>();
    await page.route('**/test-clock/advance', async (route) => {
      await isSeen;
      await route.continue();
    });
    await click(page, 'Advance');
    await page.getByRole('progressbar').waitFor();
    await expectAccessible(page);
    // Still on its way for who comes back to the page.
    await click(page, 'Entitlements');
    await page.getByRole('link', { name: 'Settings', exact: true }).last().click();
    await page.getByRole('progressbar').waitFor();
    goOn();
    await badge.getByText('Apr 1, 2027').waitFor();
    await page.getByText('keeps the time it has').waitFor();
    expect(await page.getByRole('button', { name: 'Take off' }).count()).toBe(0);
    await open(`/billing/customers/${customer}/invoicing`);
    await badge.waitFor();
    await page.getByRole('table', { name: 'Invoices' }).getByText('paid').first().waitFor();
    // "Now" is the customer's now.
    await open(`/billing/customers/${customer}/entitlements`);
    await click(page, 'Grants and history');
    await click(page, 'Create Grant');
    await page.getByLabel('Amount').fill('7');
    await click(page, 'Grant');
    await page.getByRole('row', { name: '7' }).getByText('Apr 1, 2027').waitFor();
  });

  test('what a customer who left has to get back is paid out or written off, once and after a question', async () => {
    const { page, open } = tab;
    const customer = await createCustomer('left');
    const fee = (name: string, amount: string) => ({
      key: name.toLowerCase(),
      name,
      billing_cadence: 'P1M',
      payment_term: 'in_advance',
      price: { type: 'flat', amount },
    });
    const phases = [{ key: 'default', name: 'Default', rate_cards: [fee('Support', '31'), fee('Seats', '62')] }];
    const body = { name: 'Left', key: 'left_plan', currency: 'USD', billing_cadence: 'P1M', phases };
    const plan = await backend.api('POST', '/plans', body);
    await backend.api('POST', `/plans/${plan.id}/publish`);
    await backend.api('PUT', `/customers/${customer}/test-clock`, { now: '2027-01-01T00:00:00Z' });
    const references = { customer: { id: customer }, plan: { id: plan.id } };
    const subscription = await backend.api('POST', '/subscriptions', references);
    await backend.api('POST', `/customers/${customer}/test-clock/advance`, { to: '2027-01-11T00:00:00Z' });
    await backend.api('POST', `/subscriptions/${subscription.id}/cancel`, { timing: 'immediate' });

    await open(`/billing/customers/${customer}/invoicing`);
    await page.getByText('To be given back: $63.00.').waitFor();
    await expectAccessible(page);
    // Who only reads is told of it, and not asked.
    const reader = await openTab(browser, backend.url);
    await reader.page.goto(`/billing/customers/${customer}/invoicing`);
    await signIn(reader.page, TOKENS.viewer);
    await reader.page.getByText('To be given back: $63.00.').waitFor();
    expect(await reader.page.getByRole('button', { name: /^(Pay out|Write off): / }).count()).toBe(0);
    await reader.close();
    expect(await page.getByRole('button', { name: /^(Pay out|Write off): / }).count()).toBe(4);
    const adjustments = page.getByRole('table', { name: 'Adjustments' });
    const rowOf = (name: string) => adjustments.getByRole('row', { name });
    const dialog = page.getByRole('dialog');
    await rowOf('Support').getByRole('button', { name: 'Pay out' }).click();
    await dialog.getByText('the customer has got $21.00 back').waitFor();
    await click(page, 'Cancel');
    await rowOf('Support').getByText('on the next invoice').waitFor();
    await rowOf('Support').getByRole('button', { name: 'Pay out' }).click();
    await dialog.getByRole('button', { name: 'Pay Out' }).click();
    await rowOf('Support').getByText('paid out', { exact: true }).waitFor();
    await page.getByText('To be given back: $42.00.').waitFor();

    await rowOf('Seats').getByRole('button', { name: 'Write off' }).click();
    await dialog.getByText('Nobody gets or pays -$42.00').waitFor();
    await dialog.getByRole('button', { name: 'Write Off' }).click();
    await rowOf('Seats').getByText('written off', { exact: true }).waitFor();
    expect(await page.getByText('To be given back').count()).toBe(0);
    expect(await adjustments.getByRole('button').count()).toBe(0);
    const { data, owed } = await backend.api('GET', `/customers/${customer}/billing-corrections`);
    const states = data.map(({ amount, state }: Record<string, string>) => [amount, state]);
    expect({ states: new Map(states), owed }).toEqual({
      states: new Map([
        ['-21', 'paid_out'],
        ['-42', 'written_off'],
      ]),
      owed: [],
    });
  });
});
