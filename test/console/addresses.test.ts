import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { click, hasBrowser, launchBrowser, openTab, signIn, type Tab } from '../support/browser.ts';
import { type ConsoleBackend, startConsoleBackend } from './support/console-backend.ts';
import { type Business, makeFormBusiness } from './support/form-business.ts';

describe.skipIf(!hasBrowser)('an address', () => {
  let browser: Browser;
  let backend: ConsoleBackend;
  let made: Business;
  let tab: Tab;
  beforeAll(async () => {
    [browser, backend] = await Promise.all([launchBrowser(), startConsoleBackend()]);
    made = await makeFormBusiness(backend);
    tab = await openTab(browser, backend.url);
    await tab.page.goto('/');
    await signIn(tab.page, TOKENS.admin);
  });
  afterAll(async () => {
    tab.expectNoComplaints();
    await browser.close();
    await backend.stop();
  });

  test('of a part that is not there says so, and leads back', async () => {
    const { page, open } = tab;
    const none = '01JC0000000000000000000000';
    const plan = `/product-catalog/plans/${made.draft}`;
    const addon = `/product-catalog/addons/${made.addon}`;
    const customer = `/billing/customers/${made.customer}`;
    for (const [path, back] of [
      [`${plan}/phases/default/rate-cards/none`, plan],
      [`${plan}/phases/none/rate-cards/new`, plan],
      [`${addon}/rate-cards/none`, addon],
      [`${customer}/none`, customer],
      [`/billing/customers/${none}/subscriptions/new`, '/billing/customers'],
      [`${customer}/subscriptions/new?change=${none}`, `${customer}/subscriptions`],
    ] as const) {
      await open(path);
      await page.getByRole('heading', { level: 1, name: 'Not found' }).waitFor();
      const trail = page.getByRole('navigation', { name: 'Breadcrumb' }).getByRole('link');
      expect(await trail.last().getAttribute('href'), path).toBe(back);
      expect(await page.getByRole('button', { name: /^(Save|Next Step|Start)/ }).count(), path).toBe(0);
    }
  });

  test('has what was chosen: after a reload, and when one comes back', async () => {
    const { page, open } = tab;
    await open(`/metering/meters/${made.meter}`);
    await page.getByLabel('Granularity').selectOption('PT1H');
    await page.getByLabel('Filter by').selectOption('subject');
    await page.getByLabel('Equals').fill('alice');
    const expectChoices = async () => {
      expect(await page.getByLabel('Granularity').inputValue()).toBe('PT1H');
      expect(await page.getByLabel('Filter by').inputValue()).toBe('subject');
      expect(await page.getByLabel('Equals').inputValue()).toBe('alice');
    };
    await expect.poll(() => page.url()).toContain('?granularity=PT1H&filterBy=subject&filterValue=alice');
    await page.reload();
    await page.getByLabel('Equals').waitFor();
    await expectChoices();
    await click(page, 'Home');
    await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor();
    await page.goBack();
    await page.getByLabel('Equals').waitFor();
    await expectChoices();

    await open('/product-catalog/plans');
    await page.getByLabel('Status').selectOption('draft');
    await expect.poll(() => page.getByRole('link', { name: 'Team' }).count()).toBe(0);
    await click(page, 'Draft');
    await page.getByRole('heading', { level: 1, name: 'Draft' }).waitFor();
    await page.goBack();
    await page.getByRole('link', { name: 'Draft' }).waitFor();
    expect(await page.getByLabel('Status').inputValue()).toBe('draft');
    expect(await page.getByRole('link', { name: 'Team' }).count()).toBe(0);
  });

  test('has an id, and every id on its page can be copied', async () => {
    const { page, open } = tab;
    await backend.api('POST', '/billing/runs', { full: false });
    await backend.api('POST', '/access-tokens', { name: 'Gateway', role: 'ingest', kind: 'system' });
    for (const [path, label] of [
      [`/metering/meters/${made.meter}`, 'meter id'],
      [`/product-catalog/features/${made.feature}`, 'feature id'],
      [`/product-catalog/plans/${made.plan}`, 'plan id'],
      [`/product-catalog/addons/${made.addon}`, 'add-on id'],
      [`/billing/customers/${made.customer}`, 'subscription id'],
      [`/billing/customers/${made.customer}/entitlements`, 'entitlement id'],
      [`/billing/customers/${made.customer}/settings`, 'customer id'],
      [`/billing/invoices/${made.invoice}`, 'invoice id'],
      ['/settings/billing-profiles', 'billing profile id'],
      ['/settings/apps', 'app id'],
      ['/settings/tax-codes', 'tax code id'],
      ['/settings/jobs', 'billing run id'],
      ['/settings/api-tokens', 'token id'],
    ] as const) {
      await open(path);
      await page
        .getByRole('button', { name: `Copy ${label}` })
        .first()
        .click();
      expect(await page.evaluate('navigator.clipboard.readText()'), path).toMatch(/^\w{20,}$/);
    }
  });
});
