import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { click, hasBrowser, launchBrowser, openTab, signIn, type Tab } from '../support/browser.ts';
import { type ConsoleBackend, startConsoleBackend } from './support/console-backend.ts';
import { type Made, makeSmallBusiness } from './support/small-business.ts';

describe.skipIf(!hasBrowser)('what was entered and is not saved', () => {
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
  const prompt = () => tab.page.getByRole('dialog', { name: 'Leave without saving?' });

  test('is asked about before a link, Back or a sign-out takes it away, and not once it is saved', async () => {
    const { page } = tab;
    await click(page, 'Create Customer');
    await page.getByLabel('Name').fill('Kept');
    await page.getByRole('link', { name: 'Metering', exact: true }).click();
    await prompt().getByRole('button', { name: 'Keep editing' }).click();
    await page.goBack();
    await prompt().getByRole('button', { name: 'Keep editing' }).click();
    await click(page, 'Sign out');
    await prompt().getByRole('button', { name: 'Keep editing' }).click();
    expect(await page.getByLabel('Name').inputValue()).toBe('Kept');
    expect(new URL(page.url()).pathname).toBe('/billing/customers/new');
    await click(page, 'Save');
    await page.getByRole('heading', { name: 'Kept', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'Metering', exact: true }).click();
    await page.getByRole('heading', { name: 'Metering', level: 1 }).waitFor();
    // Nothing was entered: nothing is asked. What was only looked at in a calculator is not kept.
    await tab.open('/product-catalog/plans');
    await page.goBack();
    await page.getByRole('heading', { name: 'Metering', level: 1 }).waitFor();
  });

  test('stays on Back out of the steps of a rate card, and on Escape out of a dialog', async () => {
    const { page } = tab;
    const phases = [{ key: 'default', name: 'Default', rate_cards: [] }];
    const body = { key: 'steps', name: 'Steps', currency: 'USD', billing_cadence: 'P1M', phases };
    const draft = await backend.api('POST', '/plans', body);
    await page.goto(`/product-catalog/plans/${draft.id}`);
    await click(page, 'Add Rate Card');
    await page.getByLabel('Name', { exact: true }).fill('Setup fee');
    await click(page, 'Next Step');
    await page.goBack();
    await prompt().getByRole('button', { name: 'Keep editing' }).click();
    await click(page, 'Back');
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Setup fee');
    await page.goBack();
    await prompt().getByRole('button', { name: 'Leave' }).click();
    await page.getByRole('heading', { name: 'Steps', level: 1 }).waitFor();
    await click(page, 'Add Phase');
    await page.getByLabel('Phase name').fill('Trial');
    await page.keyboard.press('Escape');
    await prompt().getByRole('button', { name: 'Keep editing' }).click();
    expect(await page.getByLabel('Phase name').inputValue()).toBe('Trial');
    await page.keyboard.press('Escape');
    await prompt().getByRole('button', { name: 'Leave' }).click();
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  });

  test('a switch shows what is, also when the server refuses to change it', async () => {
    const { page, open } = tab;
    await page.route('**/built-in-meters/*/enable', (route) =>
      route.fulfill({ status: 409, json: { status: 409, title: 'Conflict', detail: 'It is in use.' } }),
    );
    await open('/metering');
    const enable = page.getByRole('switch', { name: /^Enable / }).first();
    await enable.click();
    await page.getByText('It is in use.').waitFor();
    expect(await enable.isChecked()).toBe(false);
    await page.unroute('**/built-in-meters/*/enable');
    const name = (await enable.evaluate('(input) => input.labels[0].textContent')) as unknown;
    await enable.click();
    await page.getByText(/ is enabled\./).waitFor();
    await expect.poll(() => page.getByRole('switch', { name: String(name) }).count()).toBe(0);
  });

  test('bars are as long as what they stand for, also below one, and stand clear of the text', async () => {
    const { page, open } = tab;
    await open(`/billing/customers/${made.customer}/entitlements`);
    const bar = page.getByRole('meter').first();
    const box = await bar.boundingBox();
    const fill = await bar.locator('span').boundingBox();
    const below = await page.locator('p', { has: page.getByTestId('balance') }).boundingBox();
    expect([box?.height, fill?.height]).toEqual([8, 8]);
    // One of a hundred.
    expect((fill?.width ?? 0) / (box?.width ?? 1)).toBeCloseTo(0.01, 2);
    expect((below?.y ?? 0) - ((box?.y ?? 0) + 8)).toBeGreaterThanOrEqual(4);
  });
});
