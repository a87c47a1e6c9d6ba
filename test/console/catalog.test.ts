import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { click, hasBrowser, launchBrowser, openTab, signIn, type Tab } from '../support/browser.ts';
import { expectAccessible } from './support/accessibility.ts';
import { type ConsoleBackend, startConsoleBackend } from './support/console-backend.ts';

describe.skipIf(!hasBrowser)('the product catalog', () => {
  let browser: Browser;
  let backend: ConsoleBackend;
  let tab: Tab;
  beforeAll(async () => {
    [browser, backend] = await Promise.all([launchBrowser(), startConsoleBackend()]);
    await backend.api('POST', '/built-in-meters/kong_konnect_api_request/enable');
  });
  afterAll(async () => {
    await browser.close();
    await backend.stop();
  });
  beforeEach(async () => {
    tab = await openTab(browser, backend.url);
    await tab.page.goto('/');
    await signIn(tab.page, TOKENS.admin);
  });
  afterEach(async () => {
    tab.expectNoComplaints();
    await tab.close();
  });

  async function createPlan(page: Page, name: string): Promise<void> {
    await click(page, 'Metering & Billing');
    await click(page, 'Product Catalog');
    await click(page, 'Plans');
    await click(page, 'Create Plan');
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Billing cadence').selectOption({ label: '1 month' });
    await click(page, 'Save');
    await page.getByRole('heading', { name, level: 1 }).waitFor();
  }

  test('a feature on a meter with a filter, a plan with a package price, published', async () => {
    const { page } = tab;
    await click(page, 'Metering & Billing');
    await click(page, 'Product Catalog');
    await click(page, 'Create Feature');
    await page.getByLabel('Name').fill('example-service');
    await page.getByLabel('Meter').selectOption({ label: 'API Gateway Requests (kong_konnect_api_request)' });
    await click(page, 'Add group by filter');
    await page.getByLabel('Group by', { exact: true }).selectOption('service_name');
    await page.getByLabel('Operator', { exact: true }).selectOption({ label: 'Equals' });
    await page.getByLabel('Value', { exact: true }).fill('example-service');
    await expectAccessible(page);
    await click(page, 'Save');
    await page.getByText('service_name equals example-service').waitFor();

    await createPlan(page, 'Premium');
    await page.getByText('Before this draft can be published').waitFor();
    await click(page, 'Add Rate Card');
    await page.getByLabel('Feature').selectOption({ label: 'example-service' });
    await click(page, 'Next Step');
    await page.getByLabel('Pricing model').selectOption({ label: 'Package' });
    await page.getByLabel('Price per package').fill('1');
    await page.getByLabel('Quantity per package').fill('5000');
    await page.getByTestId('estimate').waitFor();
    expect(await page.getByTestId('estimate').textContent()).toContain('6,000 units = $2.00');
    await expectAccessible(page);
    await click(page, 'Next Step');
    await page.getByLabel('Boolean').check();
    await expectAccessible(page);
    await click(page, 'Save Rate Card');
    await page.getByText('$1.00 per 5,000 units').waitFor();
    await expectAccessible(page);
    await click(page, 'Publish Plan');
    await click(page, 'Publish');
    await page.getByText('active', { exact: true }).waitFor();
    const { data } = await backend.api('GET', '/plans?filter[key]=premium');
    expect(data[0]).toMatchObject({ status: 'active', version: 1 });
    expect(data[0].phases[0].rate_cards[0]).toMatchObject({
      key: 'example_service',
      price: { type: 'unit', amount: '1' },
      unit_config: { operation: 'divide', conversion_factor: '5000', rounding: 'ceiling' },
      entitlement: { type: 'boolean' },
    });
    await click(page, 'Create New Version');
    await page.getByText('version 2', { exact: true }).waitFor();
  });

  test('a step is not left with an empty price, and a server error lands on its field', async () => {
    const { page } = tab;
    await createPlan(page, 'Wrong');
    await click(page, 'Add Rate Card');
    await click(page, 'Next Step');
    await page.getByText('Enter a name.').waitFor();
    await page.getByLabel('Name').fill('Base fee');
    await click(page, 'Next Step');
    await page.getByLabel('Pricing model').selectOption({ label: 'Flat fee' });
    await click(page, 'Next Step');
    await page.getByText('Enter a price.').waitFor();
    await page.getByLabel('Price (USD)').fill('nine');
    await click(page, 'Next Step');
    await click(page, 'Save Rate Card');
    // Back on the step of the field that the server refuses, with the reason under it.
    const field = page.locator('.k-input', { has: page.getByLabel('Price (USD)') });
    await field.getByText(/decimal/).waitFor();
    await page.getByLabel('Price (USD)').fill('9.99');
    await page.getByLabel('Payment term').selectOption({ label: 'In advance' });
    await click(page, 'Next Step');
    await click(page, 'Save Rate Card');
    await page.getByText('$9.99 every month, in advance').waitFor();
  });

  test('an add-on with a rate card, published, and named on the draft of a plan', async () => {
    const { page } = tab;
    await click(page, 'Product Catalog');
    await click(page, 'Add-ons');
    await click(page, 'Create Add-on');
    await page.getByLabel('Name').fill('Support seat');
    await page.getByLabel('Can be bought').selectOption({ label: 'Several times' });
    await click(page, 'Save');
    await click(page, 'Add Rate Card');
    await page.getByLabel('Name').fill('Support seat');
    await click(page, 'Next Step');
    await page.getByLabel('Pricing model').selectOption({ label: 'Flat fee' });
    await page.getByLabel('Price (USD)').fill('25');
    await click(page, 'Next Step');
    await click(page, 'Save Rate Card');
    await page.getByText('$25.00 every month').waitFor();
    await click(page, 'Publish Add-on');
    await click(page, 'Publish');
    await page.getByText('The add-on is published.').waitFor();
    await createPlan(page, 'With seats');
    await click(page, 'Add Add-on');
    await page.getByLabel('Add-on', { exact: false }).last().selectOption({ label: 'Support seat, version 1' });
    await page.getByLabel('Quantity at most').fill('5');
    await click(page, 'Add');
    await page.getByText('Support seat can be bought with this plan.').waitFor();
    const { data } = await backend.api('GET', '/plans?filter[key]=with_seats');
    const addons = await backend.api('GET', `/plans/${data[0].id}/addons`);
    expect(addons.data).toMatchObject([{ from_plan_phase: 'default', max_quantity: 5 }]);
  });

  test.each([
    ['Free', async () => undefined, { price: { type: 'free' } }],
    [
      'Usage based',
      async (page: Page) => {
        await page.getByLabel('Price per unit').fill('0.00002');
      },
      { price: { type: 'unit', amount: '0.00002' } },
    ],
    [
      'Tiered',
      async (page: Page) => {
        await page.getByLabel('Last unit 1').fill('1000');
        await page.getByLabel('Flat price 1').fill('0');
        await click(page, 'Add tier');
        await page.getByLabel('Unit price 2').fill('0.5');
      },
      {
        price: {
          type: 'graduated',
          tiers: [
            { up_to_amount: '1000', flat_price: { type: 'flat', amount: '0' } },
            { unit_price: { type: 'unit', amount: '0.5' } },
          ],
        },
      },
    ],
    [
      'Dynamic',
      async (page: Page) => {
        await page.getByLabel('Multiplier').fill('1.2');
      },
      { price: { type: 'unit', amount: '1' }, unit_config: { operation: 'multiply', conversion_factor: '1.2' } },
    ],
  ])('a rate card with the pricing model %s', async (model, fill, expected) => {
    const { page } = tab;
    await createPlan(page, `Model ${model}`);
    await click(page, 'Add Rate Card');
    await page.getByLabel('Feature').selectOption({ label: 'example-service' });
    await click(page, 'Next Step');
    await page.getByLabel('Pricing model').selectOption({ label: model });
    await fill(page);
    await click(page, 'Next Step');
    await click(page, 'Save Rate Card');
    await page.getByRole('link', { name: 'example-service' }).waitFor();
    const key = `model_${model.toLowerCase().replace(' ', '_')}`;
    const { data } = await backend.api('GET', `/plans?filter[key]=${key}`);
    expect(data[0].phases[0].rate_cards[0]).toMatchObject(expected);
    // What was saved comes back into the form as it was.
    await page.getByRole('link', { name: 'example-service' }).click();
    await click(page, 'Next Step');
    expect(await page.getByLabel('Pricing model').locator('option:checked').textContent()).toContain(model);
  });
});
