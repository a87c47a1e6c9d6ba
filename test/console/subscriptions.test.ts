import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { click, hasBrowser, launchBrowser, openTab, signIn, type Tab } from '../support/browser.ts';
import { expectAccessible } from './support/accessibility.ts';
import { type ConsoleBackend, startConsoleBackend } from './support/console-backend.ts';
import { type Business, makeFormBusiness } from './support/form-business.ts';

describe.skipIf(!hasBrowser)('a subscription', () => {
  let browser: Browser;
  let backend: ConsoleBackend;
  let made: Business;
  let tab: Tab;
  beforeAll(async () => {
    [browser, backend] = await Promise.all([launchBrowser(), startConsoleBackend()]);
    made = await makeFormBusiness(backend);
  });
  afterAll(async () => {
    await browser.close();
    await backend.stop();
  });
  beforeEach(async () => {
    tab = await openTab(browser, backend.url);
    await tab.page.goto(`/billing/customers/${made.buyer}`);
    await signIn(tab.page, TOKENS.admin);
  });
  afterEach(async () => {
    tab.expectNoComplaints();
    await tab.close();
  });

  /** The card of a subscription, by the key of its plan and its status. */
  const cardOf = (plan: string, status: string) =>
    tab.page
      .getByRole('article')
      .filter({ has: tab.page.getByRole('heading', { name: `${plan} v1`, exact: true }) })
      .filter({ has: tab.page.getByText(status, { exact: true }) });

  /** What the next invoice would be. */
  async function expectPreview(lines: Readonly<Record<string, string>>, total: string): Promise<void> {
    const { page } = tab;
    await click(page, 'Invoicing');
    await click(page, 'Preview Invoice');
    for (const [name, amount] of Object.entries(lines)) {
      const line = page.getByTestId('invoice-line').filter({ has: page.getByRole('rowheader', { name }) });
      await expect.poll(() => line.getByTestId('line-total').allTextContents(), { message: name }).toContain(amount);
    }
    await expect.poll(() => page.getByTestId('invoice-total').textContent()).toBe(total);
    await click(page, 'Subscriptions');
  }

  /** Time is billed in whole seconds; a fee for less than one is owed whole. */
  async function untilNextSecond(): Promise<void> {
    const seconds = () => Math.floor(Date.now() / 1000);
    const now = seconds();
    await expect.poll(seconds).toBeGreaterThan(now);
  }

  /** Totals of what the buyer has paid, the oldest first. */
  async function paid(): Promise<string[]> {
    const { data } = await backend.api(
      'GET',
      `/billing/invoices?filter[customer_id]=${made.buyer}&filter[status]=paid`,
    );
    return data.map(({ totals }: { totals: { total: string } }) => totals.total);
  }

  test('has an add-on bought, changed and given up, as the next invoice shows', async () => {
    const { page } = tab;
    await click(page, 'Apply Add-on');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Quantity').fill('1');
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Apply', exact: true }).click();
    await page.getByText('Seats is bought.').waitFor();
    await page.getByText('× 1 since').waitFor();
    await expectPreview({ 'Base fee': '$20.00', Seats: '$5.00' }, '$25.00');
    await untilNextSecond();
    await click(page, 'Change Seats');
    await dialog.getByLabel('Quantity').fill('2');
    await click(page, 'Save');
    await page.getByText('× 2 since').waitFor();
    await expectPreview({ 'Base fee': '$20.00', Seats: '$5.00' }, '$30.00');
    // What is on a draft yet would not come back, but never come.
    await expect.poll(paid).toEqual(['20', '5', '5']);
    await untilNextSecond();
    await click(page, 'Change Seats');
    await dialog.getByLabel('Quantity').fill('0');
    await click(page, 'Save');
    await page.getByText('Seats is given up.').waitFor();
    // Both were paid in advance: what is not used of them comes back.
    await expectPreview({ 'Base fee': '$20.00', 'Seats: unused time': '-$5.00' }, '$10.00');
  });

  test('is canceled for the end of the period, and goes on after all', async () => {
    const { page } = tab;
    await cardOf('team', 'active').getByRole('button', { name: 'Cancel Subscription' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByLabel('When').inputValue()).toBe('next_billing_cycle');
    await dialog.getByRole('button', { name: 'Show as cURL' }).click();
    await page.getByText('/cancel"').waitFor();
    await page.keyboard.press('Escape');
    await click(page, 'Cancel it');
    await page.getByText('The subscription is canceled.').waitFor();
    await cardOf('team', 'canceled').getByRole('button', { name: 'Do not cancel' }).click();
    await page.getByText('The subscription goes on.').waitFor();
    await cardOf('team', 'active').waitFor();
  });

  test('has its plan changed: from the end of the period on, taken back, then at once', async () => {
    const { page } = tab;
    const change = async (start: string) => {
      await cardOf('team', 'active').getByRole('link', { name: 'Change plan' }).click();
      await page.getByLabel('Subscribed Plan').selectOption({ label: 'Pro' });
      await click(page, 'Next Step');
      await page.getByLabel('Start', { exact: true }).selectOption({ label: start });
      await click(page, 'Change plan');
      await page.getByText('The plan is changed.').last().waitFor();
    };
    await change('At the end of the billing period');
    await cardOf('pro', 'scheduled').waitFor();
    await cardOf('team', 'canceled').getByRole('button', { name: 'Restore' }).click();
    await page.getByText('The change of plan is taken back.').waitFor();
    await cardOf('team', 'active').waitFor();
    expect(await cardOf('pro', 'scheduled').count()).toBe(0);

    await change('Now');
    await cardOf('pro', 'active').waitFor();
    await cardOf('team', 'inactive').waitFor();
    const time = new Date().toISOString();
    const event = { specversion: '1.0', type: 'kong.api_request', source: 'kong-gateway', subject: 'erin', time };
    await backend.api('POST', '/events', { ...event, id: 'after-the-change', data: { request_method: 'GET' } });
    // The month of the old plan was paid in advance: what is left of it pays for the new one.
    await expectPreview({ Requests: '$0.50' }, '$0.00');
  });
});
