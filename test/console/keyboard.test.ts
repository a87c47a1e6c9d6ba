import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { hasBrowser, launchBrowser, openTab, signIn, type Tab } from '../support/browser.ts';
import { type ConsoleBackend, startConsoleBackend } from './support/console-backend.ts';
import { type Keyboard, keyboardOf } from './support/keyboard.ts';
import { type Made, makeSmallBusiness } from './support/small-business.ts';

describe.skipIf(!hasBrowser)('by keyboard alone', () => {
  let browser: Browser;
  let backend: ConsoleBackend;
  let tab: Tab;
  let keys: Keyboard;
  beforeAll(async () => {
    [browser, backend] = await Promise.all([launchBrowser(), startConsoleBackend()]);
  });
  afterAll(async () => {
    await browser.close();
    await backend.stop();
  });
  beforeEach(async () => {
    tab = await openTab(browser, backend.url);
    keys = keyboardOf(tab.page);
  });
  afterEach(async () => {
    tab.expectNoComplaints();
    expect([...keys.unseen]).toEqual([]);
    await tab.close();
  });

  /** The page of this heading is there, and its heading has the focus. */
  async function onPage(heading: string): Promise<void> {
    await expect.poll(keys.focused).toEqual({ tag: 'h1', name: heading });
    expect(await tab.page.title()).toBe(`${heading} · Metering & Billing`);
  }

  async function follow(name: string, heading: string): Promise<void> {
    await keys.tabTo(name);
    await keys.press('Enter');
    await onPage(heading);
  }

  /** Fills in what has the focus, or the field of this label. */
  async function fill(label: string, text: string): Promise<void> {
    if ((await keys.focused()).name !== label) await keys.tabTo(label);
    await keys.type(text);
  }

  /** Types ahead in a select, as far as it takes. */
  async function choose(label: string, option: string): Promise<void> {
    await fill(label, option);
    const chosen = tab.page.getByLabel(label, { exact: true }).locator('option:checked');
    await expect.poll(() => chosen.textContent()).toContain(option);
  }

  async function send(button: string, next: string): Promise<void> {
    await keys.tabTo(button);
    await keys.press('Enter');
    await onPage(next);
  }

  test('from the sign-in to the invoice preview', async () => {
    const { page } = tab;
    await page.goto('/');
    await expect.poll(keys.focused).toMatchObject({ name: 'Access token' });
    await keys.type('wrong');
    await keys.press('Enter');
    await page.getByText('Sign in', { exact: true }).waitFor();
    await expect.poll(keys.focused).toMatchObject({ tag: 'input' });
    await keys.press('Control+a');
    await keys.type(TOKENS.admin);
    await keys.press('Enter');
    await onPage('Home');

    // The page that is loaded begins at its top: with the link past the navigation.
    await page.goto('/metering');
    await page.getByRole('heading', { level: 1 }).waitFor();
    await keys.press('Tab');
    expect(await keys.focused()).toEqual({ tag: 'a', name: 'Skip to the content' });
    await keys.press('Enter');
    expect((await keys.focused()).tag).toBe('main');
    await follow('New meter', 'Create Meter');
    await keys.tabTo('Templates');
    await keys.press('ArrowDown', 'ArrowDown', 'Escape');
    expect(await keys.focused()).toEqual({ tag: 'button', name: 'Templates' });
    await keys.press('Enter', 'End', 'Home');
    const first = (await keys.focused()).name;
    await keys.press('Enter');
    await expect.poll(() => page.getByLabel('Name', { exact: true }).inputValue()).toBe(first);
    await send('Save', first);

    await follow('Product Catalog', 'Product Catalog');
    await follow('Create Feature', 'Create Feature');
    await fill('Name', 'Runs');
    await choose('Meter', first);
    await send('Save', 'Product Catalog');
    await page.getByRole('link', { name: 'Runs' }).waitFor();

    await follow('Plans', 'Product Catalog');
    await follow('Create Plan', 'Create Plan');
    await fill('Name', 'Pro');
    await send('Save', 'Pro');
    await follow('Add Rate Card', 'Add Rate Card');
    await choose('Feature', 'Runs');
    await keys.tabTo('Next Step');
    await keys.press('Enter');
    // Each step begins with its first field; one that lacks something goes to what is lacking.
    await expect.poll(keys.focused).toMatchObject({ tag: 'select' });
    await keys.tabTo('Next Step');
    await keys.press('Enter');
    await expect.poll(keys.focused).toMatchObject({ name: 'Price per unit' });
    await keys.type('0.5');
    await keys.tabTo('Next Step');
    await keys.press('Enter');
    await expect.poll(keys.focused).toMatchObject({ name: /^None/ });
    await keys.press('ArrowDown');
    expect((await keys.focused()).name).toMatch(/^Boolean/);
    await send('Save Rate Card', 'Pro');
    await keys.tabTo('Publish Plan');
    await keys.press('Enter');
    await keys.tabTo('Publish');
    await keys.press('Enter');
    await page.getByText('active', { exact: true }).waitFor();

    await follow('Billing', 'Billing');
    await follow('Create Customer', 'Create Customer');
    await fill('Name', 'Acme');
    await send('Save', 'Acme');
    await follow('Create a Subscription', 'Create a Subscription');
    await choose('Subscribed Plan', 'Pro');
    await keys.tabTo('Next Step');
    await keys.press('Enter');
    await expect.poll(keys.focused).toMatchObject({ name: 'Start' });
    await send('Start Subscription', 'Acme');
    await follow('Invoicing', 'Acme');
    await keys.tabTo('Preview Invoice');
    await keys.press('Enter');
    await page.getByTestId('invoice-total').waitFor();
  });

  describe('in a small business', () => {
    let made: Made;
    beforeAll(async () => {
      made = await makeSmallBusiness(backend);
    });
    beforeEach(async () => {
      await tab.page.goto('/');
      await signIn(tab.page, TOKENS.admin);
      await onPage('Home');
    });

    test('a dialog keeps the focus, is left by Escape, and gives it back', async () => {
      const { page, open } = tab;
      await open('/metering');
      await keys.tabTo('Delete API Gateway Requests');
      await keys.press('Enter');
      // What cannot be undone begins with the word that is to be typed, not with the button that does it.
      await expect.poll(keys.focused).toMatchObject({ tag: 'input' });
      const stops = new Set<string>();
      for (let stop = 0; stop < 8; stop++) {
        await keys.press('Tab');
        stops.add((await keys.focused()).name);
      }
      expect([...stops].sort()).toEqual(expect.arrayContaining(['Cancel', 'Close']));
      expect([...stops].filter((name) => !/^(|Cancel|Close|Delete|Type “.*)$/.test(name))).toEqual([]);
      await keys.press('Escape');
      await expect.poll(keys.focused).toMatchObject({ name: 'Delete API Gateway Requests' });

      // One that is only there while it is open; in it another, of which Escape closes no more than itself.
      await open(`/billing/customers/${made.customer}/entitlements`);
      await keys.tabTo('Create Entitlement');
      await keys.press('Enter');
      await expect.poll(keys.focused).toMatchObject({ tag: 'select' });
      await keys.tabTo('Show as cURL');
      await keys.press('Enter');
      await page.getByRole('heading', { name: 'The same by API' }).waitFor();
      await keys.press('Escape');
      await expect.poll(keys.focused).toMatchObject({ name: 'Show as cURL' });
      await keys.press('Escape');
      await expect.poll(keys.focused).toMatchObject({ name: 'Create Entitlement' });
    });

    test('a wrong field gets the focus and says why; a token that is shown once outlives Escape', async () => {
      const { page, open } = tab;
      await open('/settings/api-tokens');
      await keys.tabTo('Create Token');
      await keys.press('Enter');
      await expect.poll(keys.focused).toMatchObject({ name: 'Name' });
      await keys.press('Enter');
      const name = page.getByRole('dialog').getByLabel('Name');
      await expect.poll(() => name.getAttribute('aria-invalid')).toBe('true');
      await expect.poll(keys.focused).toMatchObject({ name: 'Name' });
      const reason = page.locator(`[id="${await name.getAttribute('aria-describedby')}"]`);
      expect(await reason.textContent()).toContain('must');
      await keys.type('Gateway');
      await keys.press('Enter');
      await page.getByRole('heading', { name: 'Token created' }).waitFor();
      await keys.press('Escape', 'Escape', 'Escape');
      await keys.tabTo('Done');
      await keys.press('Enter');
      await expect.poll(keys.focused).toMatchObject({ name: 'Create Token' });
    });

    test('what is folded away opens when it is wrong', async () => {
      await tab.open(`/billing/customers/${made.customer}/settings`);
      await keys.tabTo('Billing address');
      await keys.press('Enter');
      await fill('Country (two letters)', 'Atlantis');
      await keys.tabTo('Billing address', 'Shift+Tab');
      await keys.press('Enter');
      await keys.tabTo('Save');
      await keys.press('Enter');
      await expect.poll(keys.focused).toMatchObject({ name: 'Country (two letters)' });
    });

    test('the focus stays near a row that is deleted, and with the row that others come before', async () => {
      const { page, open } = tab;
      for (const key of ['one', 'two']) await backend.api('POST', '/tax-codes', { key, name: key, app_mappings: [] });
      await open('/settings/tax-codes');
      await keys.tabTo('Delete one');
      await keys.press('Enter');
      await expect.poll(keys.focused).toMatchObject({ name: 'Cancel' });
      await keys.press('Tab', 'Enter');
      await page.getByRole('status').getByText('one is deleted.').waitFor();
      await expect.poll(keys.focused).toMatchObject({ tag: 'div', name: 'Tax codes' });

      await open('/metering/events');
      await keys.tabTo('Live tail');
      await keys.press('Space');
      await keys.tabTo('Show event page-alice');
      const event = { id: 'next', source: 'kong-gateway', type: 'kong.api_request', subject: 'alice' };
      await backend.api('POST', '/events', { ...event, specversion: '1.0', time: new Date().toISOString(), data: {} });
      await page.getByRole('button', { name: 'Show event next' }).waitFor();
      expect(await keys.focused()).toMatchObject({ name: 'Show event page-alice' });
    });

    test('a menu of choices is opened, gone through and left by keys', async () => {
      await tab.open(`/metering/meters/${made.meter}`);
      await keys.tabTo('Group by: Nothing');
      await keys.press('ArrowDown', 'ArrowDown', 'ArrowUp');
      await expect.poll(keys.focused).toMatchObject({ tag: 'input' });
      await keys.press('ArrowDown', 'Space', 'Escape');
      await expect.poll(keys.focused).toMatchObject({ tag: 'summary', name: expect.not.stringContaining('Nothing') });
    });

    test('every stop of a page shows that it has the focus', async () => {
      const pages = [
        '/metering/events',
        `/billing/customers/${made.customer}/settings`,
        `/metering/meters/${made.meter}`,
        `/product-catalog/plans/${made.plan}`,
        `/settings/billing-profiles/${made.profile}`,
      ];
      for (const path of process.env['LONG'] === '1' ? pages : pages.slice(0, 2)) {
        await tab.open(path);
        await keys.tabTo('Skip to the content');
        await keys.tabTo('Settings');
      }
    });
  });
});
