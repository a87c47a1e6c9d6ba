import { resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  connectPlayer,
  kongConfig,
  type Player,
  type PluginServer,
  recording,
  recordings,
  startStockPluginServer,
  vary,
} from '../gateway-player/index.ts';
import { TOKENS } from '../support/backend.ts';
import { click, hasBrowser, launchBrowser, openTab, signIn, type Tab } from '../support/browser.ts';
import { expectAccessible } from './support/accessibility.ts';
import { type ConsoleBackend, startConsoleBackend } from './support/console-backend.ts';

// Each of the tutorials that people follow, by the labels that it names, up to the numbers that it promises.
describe.skipIf(!hasBrowser)('the tutorials', () => {
  let browser: Browser;
  let backend: ConsoleBackend;
  let server: PluginServer;
  let player: Player;
  let tab: Tab;
  let page: Page;
  beforeAll(async () => {
    server = await startStockPluginServer({ pluginDir: resolve('dist/plugin/metering-and-billing') });
    player = connectPlayer(server.socketPath, { connections: 2 });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    player.close();
    await server.terminate();
    await browser.close();
  });
  beforeEach(async () => {
    backend = await startConsoleBackend();
    tab = await openTab(browser, backend.url);
    page = tab.page;
    await page.goto('/');
    await signIn(page, TOKENS.admin);
  });
  afterEach(async () => {
    tab.expectNoComplaints();
    await tab.close();
    await backend.stop();
  });

  /** Sends recorded requests of a Consumer through the real plugin, and waits until their events are stored. */
  async function throughTheGateway(requestId: string, consumer: string, count: number, events: number): Promise<void> {
    const instance = await player.startInstance(
      'metering-and-billing',
      kongConfig({
        ingest_endpoint: `${backend.url}/v3/openmeter/events`,
        api_token: TOKENS.ingest,
        meter_api_requests: true,
        meter_ai_token_usage: true,
        subject: { look_up_value_in: 'consumer' },
      }),
    );
    const service = { id: '356ebaf8-b7af-5cba-99a1-f392e34730ab', name: 'example-service' };
    const startedAt = Date.now();
    for (let index = 1; index <= count; index++) {
      const varied = vary(recording(requestId).json, {
        requestId: `tutorial-${consumer}-${index}`,
        consumer: { id: 'b32379d9-3d28-5683-a79c-72139be6e34f', username: consumer },
        service,
        startedAtMs: startedAt,
      });
      await player.logRequest(instance, varied);
    }
    const stored = async () =>
      (await backend.api('GET', `/events?filter[subject]=${consumer}&page[size]=100`)).data.length;
    await expect.poll(stored, { timeout: 20_000 }).toBe(events);
  }

  async function toCatalog(tabName?: string): Promise<void> {
    await click(page, 'Metering & Billing');
    await click(page, 'Product Catalog');
    if (tabName !== undefined) await click(page, tabName);
  }

  async function createPlan(name: string): Promise<void> {
    await toCatalog('Plans');
    await openForm('Create Plan');
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Billing cadence').selectOption({ label: '1 month' });
    await click(page, 'Save');
    await click(page, 'Add Rate Card');
  }

  async function saveAndPublish(): Promise<void> {
    await click(page, 'Save Rate Card');
    await click(page, 'Publish Plan');
    await click(page, 'Publish');
    await page.getByText('active', { exact: true }).waitFor();
  }

  /** A form has a Name; the list before it has a search whose label says so too. */
  async function openForm(title: string): Promise<void> {
    await click(page, title);
    await page.getByRole('heading', { name: title, level: 1 }).waitFor();
  }

  async function createCustomer(name: string, options: { key?: string; usageFrom?: string }): Promise<void> {
    await click(page, 'Metering & Billing');
    await click(page, 'Billing');
    await openForm('Create Customer');
    await page.getByLabel('Name').fill(name);
    if (options.key !== undefined) await page.getByLabel('Key').fill(options.key);
    if (options.usageFrom !== undefined) {
      await page.getByRole('combobox', { name: 'Include usage from' }).fill(options.usageFrom);
    }
    await click(page, 'Save');
    await page.getByRole('heading', { name, level: 1 }).waitFor();
  }

  async function subscribe(planName: string, lastButton: string): Promise<void> {
    await click(page, 'Subscriptions');
    await click(page, 'Create a Subscription');
    await page.getByLabel('Subscribed Plan').selectOption({ label: planName });
    await click(page, 'Next Step');
    await click(page, lastButton);
    await page.getByText('active', { exact: true }).waitFor();
  }

  async function previewOf(customer: string): Promise<void> {
    await click(page, 'Metering & Billing');
    await click(page, 'Billing');
    await click(page, 'Invoices');
    await click(page, customer);
    await click(page, 'Invoicing');
    await click(page, 'Preview Invoice');
    await page.getByTestId('invoice-line').first().waitFor();
  }

  test('get started: six requests of kong-air are six times example-service, one package of 5,000 for a dollar', async () => {
    await click(page, 'Metering & Billing');
    await page.getByText('Enable API Gateway Requests', { exact: true }).click();
    await page.getByText('API Gateway Requests is enabled.').waitFor();

    await toCatalog();
    await openForm('Create Feature');
    await page.getByLabel('Name').fill('example-service');
    await page.getByLabel('Meter').selectOption({ label: 'API Gateway Requests (kong_konnect_api_request)' });
    await click(page, 'Add group by filter');
    await page.getByLabel('Group by', { exact: true }).selectOption('service_name');
    await page.getByLabel('Operator', { exact: true }).selectOption({ label: 'Equals' });
    await page.getByLabel('Value', { exact: true }).fill('example-service');
    await click(page, 'Save');
    await page.getByText('service_name equals example-service').waitFor();

    await createPlan('Premium');
    await page.getByLabel('Feature').selectOption({ label: 'example-service' });
    await click(page, 'Next Step');
    await page.getByLabel('Pricing model').selectOption({ label: 'Usage based' });
    await page.getByLabel('Price per package').fill('1');
    await page.getByLabel('Quantity per package').fill('5000');
    await click(page, 'Next Step');
    await saveAndPublish();

    await createCustomer('Kong Air', { usageFrom: 'kong-air' });
    await subscribe('Premium', 'Create Subscription');
    await throughTheGateway('dbe4e209db780c1b37071a583e221304', 'kong-air', 6, 6);

    await previewOf('Kong Air');
    const line = page.getByTestId('invoice-line');
    expect(await line.getByRole('rowheader').textContent()).toContain('example-service');
    expect((await page.getByTestId('line-quantity').textContent())?.trim()).toBe('6');
    expect(await page.getByTestId('invoice-total').textContent()).toBe('$1.00');
    await expectAccessible(page);
  });

  test('meter LLM traffic: the tokens of kong-air at $0.00002 each', async () => {
    await click(page, 'Metering & Billing');
    await page.getByText('Enable AI Gateway Tokens', { exact: true }).click();
    await page.getByText('AI Gateway Tokens is enabled.').waitFor();
    await page.getByText('kong_konnect_llm_tokens').waitFor();

    await toCatalog();
    await openForm('Create Feature');
    await page.getByLabel('Name').fill('ai-token');
    await page.getByLabel('Meter').selectOption({ label: 'AI Gateway Tokens (kong_konnect_llm_tokens)' });
    await click(page, 'Add group by filter');
    await page.getByLabel('Group by', { exact: true }).selectOption({ label: 'provider' });
    await page.getByLabel('Operator', { exact: true }).selectOption({ label: 'Equals' });
    // As the tutorial writes it; the gateway's events spell it in lower case.
    await page.getByLabel('Value', { exact: true }).fill('OpenAI');
    await page.getByLabel('Value', { exact: true }).blur();
    await click(page, 'Save');
    await page.getByText('provider equals openai').waitFor();

    await createPlan('Token');
    await page.getByLabel('Feature').selectOption({ label: 'ai-token' });
    await click(page, 'Next Step');
    await page.getByLabel('Pricing model').selectOption({ label: 'Usage based' });
    await page.getByLabel('Price per unit').fill('0.00002');
    await click(page, 'Next Step');
    await page.getByLabel('Boolean').check();
    await saveAndPublish();

    await createCustomer('Kong Air', { usageFrom: 'kong-air' });
    await subscribe('Token', 'Create Subscription');
    const call = recordings().find(
      ({ source, json }) => source === 'ai-payloads-log-serialize' && json.includes('"prompt_tokens_details'),
    );
    await throughTheGateway(call?.requestId ?? '', 'kong-air', 6, 18);
    const { data } = await backend.api(
      'GET',
      '/events?filter[subject]=kong-air&filter[type]=kong.llm_request&page[size]=100',
    );
    const tokens = data.reduce(
      (sum: number, item: { event: { data: { tokens: string } } }) => sum + Number(item.event.data.tokens),
      0,
    );

    await previewOf('Kong Air');
    expect(await page.getByTestId('invoice-line').getByRole('rowheader').textContent()).toContain('ai-token');
    expect((await page.getByTestId('line-quantity').textContent())?.trim()).toBe(tokens.toLocaleString('en-US'));
  });

  test('count agent runs: three runs of acme-inc are three dollars', async () => {
    await click(page, 'Metering & Billing');
    await click(page, 'New meter');
    await click(page, 'Templates');
    await page.getByText('Count Agent Runs', { exact: true }).click();
    await expect.poll(() => page.getByLabel('Key').inputValue()).toBe('agent_runs_total');
    await click(page, 'Save');
    await page.getByRole('heading', { name: 'Count Agent Runs', level: 1 }).waitFor();

    await toCatalog();
    await openForm('Create Feature');
    await page.getByLabel('Name').fill('Agent Runs');
    await page.getByLabel('Meter').selectOption({ label: 'Count Agent Runs (agent_runs_total)' });
    await click(page, 'Save');

    await createPlan('Premium Plan');
    await page.getByLabel('Feature').selectOption({ label: 'Agent Runs' });
    await click(page, 'Next Step');
    await page.getByLabel('Pricing model').selectOption({ label: 'Usage based' });
    await page.getByLabel('Price per unit').fill('1');
    await click(page, 'Next Step');
    await page.getByLabel('Boolean').check();
    await saveAndPublish();

    await createCustomer('Acme Inc', { key: 'acme-inc' });
    await subscribe('Premium Plan', 'Start Subscription');
    for (const agent_name of ['summarizer', 'summarizer', 'researcher']) {
      await backend.api('POST', '/events', {
        specversion: '1.0',
        type: 'agent_run',
        id: crypto.randomUUID(),
        source: 'acme-platform',
        time: new Date().toISOString(),
        datacontenttype: 'application/json',
        subject: 'acme-inc',
        data: { agent_name },
      });
    }
    await previewOf('Acme Inc');
    expect((await page.getByTestId('line-quantity').textContent())?.trim()).toBe('3');
    expect(await page.getByTestId('invoice-total').textContent()).toBe('$3.00');
  });

  test('track requests by Consumer: three events of alice, and that no customer has her', async () => {
    await throughTheGateway('dbe4e209db780c1b37071a583e221304', 'alice', 3, 3);
    await click(page, 'Metering & Billing');
    await click(page, 'Events');
    await expect.poll(() => page.getByRole('cell', { name: 'alice', exact: true }).count()).toBe(3);
    await page.getByRole('button', { name: 'Show event tutorial-alice-1' }).click();
    await page.getByText('no customer found for event subject: alice').first().waitFor();
  });
});
