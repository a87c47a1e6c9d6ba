import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatPeriod } from '../../console/shared/format.ts';
import { TOKENS } from '../support/backend.ts';
import { click, hasBrowser, launchBrowser, openTab, signIn } from '../support/browser.ts';
import { type ConsoleBackend, startConsoleBackend } from './support/console-backend.ts';
import { makeCustomerOfDrafts } from './support/form-business.ts';

test('a period ends with its last day, of which its end is not one', () => {
  const words = (from: string, to: string) => formatPeriod(from, to).split(' – ').length;
  const january = ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'] as const;
  expect(formatPeriod(...january)).toMatch(/31/);
  expect(formatPeriod('2026-01-10T10:15:00Z', '2026-02-10T10:15:00Z').match(/10/g)).toHaveLength(2);
  expect(words('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z')).toBe(1);
  expect(words('2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z')).toBe(1);
});

describe.skipIf(!hasBrowser)('dates of billing, for one who lives far from UTC', () => {
  let browser: Browser;
  let backend: ConsoleBackend;
  beforeAll(async () => {
    [browser, backend] = await Promise.all([launchBrowser(), startConsoleBackend()]);
  });
  afterAll(async () => {
    await browser.close();
    await backend.stop();
  });

  test('are those of the document, on every page, and what is typed is read so too', async () => {
    const period = { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' };
    const customer = await makeCustomerOfDrafts(backend, period);
    const { data } = await backend.api('POST', `/customers/${customer}/invoices`, { progressive_billing: true });
    const invoice = data[0].id;
    const tab = await openTab(browser, backend.url, { timezoneId: 'America/Los_Angeles' });
    const { page, open } = tab;
    await page.goto(`/billing/invoices/${invoice}`);
    await signIn(page, TOKENS.admin);
    const expected = 'Jan 1, 2026 – Jan 31, 2026';
    const authorization = { headers: { Authorization: `Bearer ${TOKENS.admin}` } };
    const document = await fetch(`${backend.url}/v3/openmeter/billing/invoices/${invoice}/document`, authorization);
    expect(await document.text()).toContain(expected);
    for (const path of [
      `/billing/invoices/${invoice}`,
      '/billing/invoices',
      `/billing/customers/${customer}/invoicing`,
    ]) {
      await open(path);
      expect(await page.getByText(expected).count(), path).toBeGreaterThan(0);
      expect(await page.getByText('All times on this page are in UTC').count(), path).toBe(1);
      expect(await page.getByText('Dec 31, 2025').count(), path).toBe(0);
    }
    await open(`/billing/customers/${customer}/charges/new`);
    await page.getByLabel('Name').fill('Typed');
    await page.getByLabel('Amount (USD)').fill('1');
    await page.getByLabel('Service period from').fill('2026-03-01T00:00');
    await page.getByLabel('Service period to').fill('2026-04-01T00:00');
    await click(page, 'Save');
    await page.getByText('Mar 1, 2026 – Mar 31, 2026').first().waitFor();
    // Elsewhere times are the viewer's.
    await open('/metering/events');
    expect(await page.getByText('All times on this page').count()).toBe(0);
    tab.expectNoComplaints();
    await tab.close();
  });
});
