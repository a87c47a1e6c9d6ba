import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { click, hasBrowser, launchBrowser, openTab, signIn } from '../support/browser.ts';
import { seriousViolations } from './support/accessibility.ts';
import { type ConsoleBackend, startConsoleBackend } from './support/console-backend.ts';
import { type Made, makeSmallBusiness } from './support/small-business.ts';

describe.skipIf(!hasBrowser)('the search', () => {
  let browser: Browser;
  let backend: ConsoleBackend;
  let made: Made;
  beforeAll(async () => {
    [browser, backend] = await Promise.all([launchBrowser(), startConsoleBackend()]);
    made = await makeSmallBusiness(backend);
  });
  afterAll(async () => {
    await browser.close();
    await backend.stop();
  });

  test('finds by keyboard from anywhere, and leads to the page of what was found', async () => {
    const { page, open, expectNoComplaints, close } = await openTab(browser, backend.url);
    await page.goto('/');
    await signIn(page, TOKENS.viewer);
    await open('/settings/jobs');
    const search = async (text: string) => {
      await page.keyboard.press('Control+k');
      await page.keyboard.press('Control+a');
      await page.keyboard.type(text);
      await page.keyboard.press('Enter');
      await page.getByText(`Results for “${text}”`).waitFor();
    };
    await search('REQUESTS');
    const kinds = page.locator('main h2');
    await expect.poll(() => kinds.allTextContents()).toEqual(['Features', 'Meters']);
    expect(await page.title()).toContain('Search');
    expect(await seriousViolations(page)).toEqual([]);
    await search(made.customer);
    await click(page, 'Alice');
    await page.getByRole('heading', { name: 'Alice', level: 1 }).waitFor();

    const { data } = await backend.api('GET', '/subscriptions');
    await search(data[0].id);
    await page.getByText('of Alice').waitFor();
    await page.locator('main').getByRole('link', { name: 'pro v1' }).click();
    await expect.poll(() => page.url()).toContain(`/billing/customers/${made.customer}/subscriptions`);

    await search('page-bob');
    await page.getByText('of bob, from kong-gateway').waitFor();
    await page.getByRole('link', { name: 'page-bob' }).click();
    await expect.poll(() => page.getByRole('button', { name: /^Show event/ }).count()).toBe(1);

    await search('nobody and nothing');
    await page.getByText('Nothing was found').waitFor();
    // What was looked for stands in the address: it comes back with it.
    await page.reload();
    await page.getByText('Nothing was found').waitFor();
    expect(await page.getByRole('searchbox', { name: 'Search everything' }).inputValue()).toBe('nobody and nothing');
    expectNoComplaints();
    await close();
  });

  test('stands in the menu of a narrow screen, which closes when something was looked for', async () => {
    const { page, close } = await openTab(browser, backend.url, { width: 360 });
    await page.goto('/');
    await signIn(page, TOKENS.viewer);
    await click(page, 'Menu');
    const box = page.getByRole('searchbox', { name: 'Search everything' });
    await box.fill('alice');
    await box.press('Enter');
    await page.getByRole('link', { name: 'Alice' }).waitFor();
    expect(await box.isVisible()).toBe(false);
    await close();
  });
});
