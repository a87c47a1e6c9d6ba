import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { flatCharge } from '../support/billing/charges.ts';
import { click, hasBrowser, launchBrowser, openTab, signIn, type Tab } from '../support/browser.ts';
import { expectAccessible } from './support/accessibility.ts';
import { type ConsoleBackend, startConsoleBackend } from './support/console-backend.ts';

describe.skipIf(!hasBrowser)("a customer's credits", () => {
  let browser: Browser;
  let backend: ConsoleBackend;
  let tab: Tab;
  beforeAll(async () => {
    [browser, backend] = await Promise.all([launchBrowser(), startConsoleBackend()]);
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

  test('are granted, pay an invoice that tells of it and is told of, and are voided', async () => {
    const { page, open } = tab;
    const customer = await backend.api('POST', '/customers', { name: 'Prepaid', key: 'prepaid', currency: 'USD' });
    await open(`/billing/customers/${customer.id}/credits`);
    await page.getByText('No credits yet').waitFor();
    await click(page, 'Grant Credits');
    await page.getByLabel('Name').fill('Welcome');
    await page.getByLabel('Credit amount').fill('100');
    await click(page, 'Next');
    await page.getByText('Available immediately on grant').waitFor();
    await click(page, 'Grant credits');
    await page.getByText('Welcome: $100.00 are granted.').waitFor();
    await page.getByRole('row', { name: /USD \$100\.00 \$100\.00 \$0\.00/ }).waitFor();
    await expectAccessible(page);

    const { data } = await backend.api('GET', `/customers/${customer.id}/credits/transactions`);
    await backend.api('POST', `/customers/${customer.id}/charges`, flatCharge('30', data[0].booked_at));
    await backend.api('POST', `/customers/${customer.id}/invoices`, {});
    await page.reload();
    await page.getByRole('row', { name: /consumed Fee .* -\$30\.00 \$100\.00 \$70\.00/i }).waitFor();
    await page.getByRole('link', { name: 'The invoice' }).click();
    await page.getByText('Credit Welcome: −$30.00').waitFor();
    expect(await page.getByTestId('invoice-total').textContent()).toBe('$0.00');

    await open(`/billing/customers/${customer.id}/credits`);
    await page.getByRole('button', { name: 'Void Welcome' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Void', exact: true }).click();
    await page.getByText('Welcome is void').waitFor();
    await page.getByRole('row', { name: /voided Welcome -\$70\.00 \$70\.00 \$0\.00/i }).waitFor();
  });
});
