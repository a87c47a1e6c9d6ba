import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { click, hasBrowser, launchBrowser, openTab, signIn, type Tab } from '../support/browser.ts';
import { type ConsoleBackend, startConsoleBackend } from './support/console-backend.ts';
import { type Business, makeFormBusiness } from './support/form-business.ts';
import { FORMS } from './support/form-cases.ts';

/** What computers say to each other. */
const COMPUTER_LANGUAGE =
  /at least 1 char|must match|ULID|zod|undefined|null|NaN|[Ee]xpected|Invalid|\bint\b|as text|in a string|Error:/;
describe.skipIf(!hasBrowser)('what is wrong in a form', () => {
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
  afterEach(async () => {
    await tab.page.unroute('**/v3/**');
    await tab.page.keyboard.press('Escape');
  });
  afterAll(async () => {
    tab.expectNoComplaints();
    await browser.close();
    await backend.stop();
  });

  /** The dialog that is open, or else the page. */
  async function holderOf(page: Page): Promise<Locator> {
    const dialog = page.locator('dialog[open]');
    return (await dialog.count()) > 0 ? dialog : page.locator('main');
  }

  async function enter(field: Locator, text: string): Promise<void> {
    if ((await field.and(tab.page.locator('select')).count()) > 0) await field.selectOption(text);
    else await field.fill(text);
  }

  /** Under the field, in plain words, tied to it for those who do not see it; what was typed is still there. */
  async function expectReason(holder: Locator, label: string, typed: string): Promise<void> {
    const field = holder.getByLabel(label, { exact: true });
    await expect.poll(() => field.getAttribute('aria-invalid'), { message: label, timeout: 5_000 }).toBe('true');
    const described = await field.getAttribute('aria-describedby');
    const reason = () => holder.locator(`[id="${described}"]`).last().innerText();
    await expect.poll(reason, { message: label }).toMatch(/\b(must|Enter|cannot|already|is)\b/);
    expect(await reason(), label).not.toMatch(COMPUTER_LANGUAGE);
    expect(await field.inputValue(), label).toBe(typed);
  }

  /** Of a field that the form does not have is said above what the server says of it. */
  async function expectAlert(send: () => Promise<void>): Promise<void> {
    const { page } = tab;
    const problem = { status: 400, title: 'Bad Request', detail: 'labels.secret: is not welcome' };
    const invalid_parameters = [{ field: 'labels.secret', rule: 'invalid', reason: 'is not welcome', source: 'body' }];
    await page.route('**/v3/**', (route) =>
      route.request().method() === 'GET'
        ? route.continue()
        : route.fulfill({ status: 400, json: { ...problem, invalid_parameters } }),
    );
    await send();
    const holder = await holderOf(page);
    await holder.getByRole('alert').getByText('labels › secret is not welcome').first().waitFor({ timeout: 5_000 });
  }

  test.each(FORMS)('$form', async ({ form, path, open = [], choose = {}, more = [], wrong, right = {}, send }) => {
    const { page } = tab;
    // A page that stands already would keep what was entered.
    if (path(made).includes('?') || page.url().endsWith(path(made))) await page.goto(path(made));
    else await tab.open(path(made));
    for (const name of open) await click(page, name);
    const holder = await holderOf(page);
    const curl = holder.getByRole('button', { name: 'Show as cURL' });
    for (const [label, option] of Object.entries(choose))
      await enter(holder.getByLabel(label, { exact: true }), option);
    for (const name of more) await holder.getByText(name, { exact: true }).click();
    for (const [label, text] of Object.entries(wrong)) await enter(holder.getByLabel(label, { exact: true }), text);
    expect(await curl.count()).toBeGreaterThan(0);
    await holder.getByRole('button', { name: send, exact: true }).last().click();
    for (const [label, text] of Object.entries(wrong)) {
      if (label !== 'Start') await expectReason(holder, label, text);
    }
    for (const [label, text] of Object.entries(right)) await enter(holder.getByLabel(label, { exact: true }), text);
    // Of each form in the long run.
    const isLooked = process.env['LONG'] === '1' || FORMS.findIndex((other) => other.form === form) % 4 === 0;
    if (isLooked) await expectAlert(() => holder.getByRole('button', { name: send, exact: true }).last().click());
  });

  test('a second label of the same name on a meter, which would take the place of the first', async () => {
    const { page } = tab;
    await page.goto('/metering/meters/new');
    const main = page.locator('main');
    for (const label of ['Name', 'Event Type Filter']) await main.getByLabel(label, { exact: true }).fill('twice');
    for (const index of [1, 2]) {
      await click(page, 'Add label');
      await main.getByLabel(`Name ${index}`).fill('model');
    }
    await click(page, 'Save');
    await expectReason(main, 'Name 2', 'model');
    expect((await backend.api('GET', '/meters?filter[key]=twice')).data).toEqual([]);
    await main.getByLabel('Name 2').fill('provider');
    await main.getByLabel('JSONPath 1').fill('$.model');
    await main.getByLabel('JSONPath 2').fill('$.provider');
    await click(page, 'Save');
    await page.getByRole('heading', { name: 'twice', level: 1 }).waitFor();
  });

  /** Model → what is wrong with its price. */
  const PRICES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    flat: { 'Price (USD)': 'nine' },
    unit: {
      'Price per unit': 'nine',
      'Usage discount': 'some',
      'Minimum commitment': 'much',
      'Maximum commitment': 'more',
      Factor: 'half',
    },
    package: { 'Price per package': 'nine', 'Quantity per package': 'some' },
    tiered: { 'Last unit 1': 'some', 'Unit price 1': 'nine', 'Flat price 1': 'ten' },
    dynamic: { Multiplier: 'twice' },
  };

  test.each(Object.entries(PRICES))('rate card with the pricing model %s', async (model, wrong) => {
    const { page } = tab;
    await page.goto(`/product-catalog/plans/${made.draft}/phases/default/rate-cards/new`);
    await page.getByLabel('Feature', { exact: true }).selectOption({ label: 'Runs' });
    await click(page, 'Next Step');
    await page.getByLabel('Pricing model').selectOption(model);
    await page.getByText('Advanced Settings').click();
    if ('Factor' in wrong) await page.getByLabel('Unit conversion').selectOption('divide');
    for (const [label, text] of Object.entries(wrong)) await page.getByLabel(label, { exact: true }).fill(text);
    await click(page, 'Next Step');
    await click(page, 'Save Rate Card');
    // Back on the step with the prices.
    for (const [label, text] of Object.entries(wrong)) await expectReason(page.locator('main'), label, text);
    await click(page, 'Next Step');
    await expectAlert(() => click(page, 'Save Rate Card'));
  });

  test('rate card with an entitlement', async () => {
    const { page } = tab;
    await page.goto(`/product-catalog/plans/${made.draft}/phases/default/rate-cards/new`);
    await page.getByLabel('Feature', { exact: true }).selectOption({ label: 'Runs' });
    await click(page, 'Next Step');
    await page.getByLabel('Price per unit').fill('1');
    await click(page, 'Next Step');
    await page.getByLabel('Metered').check();
    await page.getByLabel('Allowance', { exact: true }).fill('plenty');
    await click(page, 'Save Rate Card');
    await expectReason(page.locator('main'), 'Allowance', 'plenty');
    await page.getByLabel('Static').check();
    await page.getByLabel('Configuration (JSON object)').fill('[]');
    await click(page, 'Save Rate Card');
    await expectReason(page.locator('main'), 'Configuration (JSON object)', '[]');
  });

  test('whoever saves over a change of somebody else is told what that was', async () => {
    const { page, open } = tab;
    const { api } = backend;
    const told = (change: string) => page.getByRole('alert').getByText(change).waitFor({ timeout: 5_000 });

    await open(`/billing/customers/${made.customer}/settings`);
    await page.getByLabel('Name', { exact: true }).fill('Alice & Co');
    await api('PUT', `/customers/${made.customer}`, { name: 'Alice Ltd', primary_email: 'a@example.com' });
    await click(page, 'Save');
    await told('name from "Alice" to "Alice Ltd"; primary email from nothing to "a@example.com"');
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Alice & Co');

    await open(`/settings/billing-profiles/${made.profile}`);
    await page.getByLabel('Legal name').fill('Ours');
    const {
      apps: _apps,
      id: _id,
      created_at: _created,
      updated_at: _updated,
      ...profile
    } = await api('GET', `/profiles/${made.profile}`);
    await api('PUT', `/profiles/${made.profile}`, { ...profile, supplier: { ...profile.supplier, name: 'Theirs' } });
    await click(page, 'Save');
    await told('to "Theirs"');

    await open('/settings/tax-codes');
    await click(page, 'Change Reduced');
    await page.getByRole('dialog').getByLabel('Name').fill('Less');
    const [code] = (await api('GET', '/tax-codes')).data.filter(({ key }: { key: string }) => key === 'reduced');
    await api('PUT', `/tax-codes/${code.id}`, { name: 'Lower', app_mappings: [] });
    await click(page, 'Save');
    await told('name from "Reduced" to "Lower"');
    await page.keyboard.press('Escape');

    await open(`/product-catalog/plans/${made.draft}`);
    await click(page, 'Add Phase');
    await page.getByLabel('Phase name').fill('Trial');
    const phases = [{ key: 'default', name: 'Standard', rate_cards: [] }];
    await api('PUT', `/plans/${made.draft}`, { name: 'Draft', pro_rating_enabled: true, phases });
    await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
    await told('phases 1 › name from "Default" to "Standard"');
    await page.keyboard.press('Escape');

    const addon = await api('GET', `/addons/${made.addon}`);
    const fee = { key: 'fee', name: 'Fee', price: { type: 'flat', amount: '1' }, payment_term: 'in_advance' };
    const change = (name: string) =>
      api('PUT', `/addons/${addon.id}`, { name, instance_type: 'single', rate_cards: [fee] });
    await change('Seat');
    await open(`/product-catalog/addons/${addon.id}`);
    await click(page, 'Publish Add-on');
    await change('Chair');
    await click(page, 'Publish');
    await told('name from "Seat" to "Chair"');
    expect((await api('GET', `/addons/${addon.id}`)).status).toBe('draft');
  });
});
