import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { hasBrowser, launchBrowser, openTab, signIn, type Tab } from '../support/browser.ts';
import { expectAccessible } from './support/accessibility.ts';
import { type ConsoleBackend, startConsoleBackend } from './support/console-backend.ts';

describe.skipIf(!hasBrowser)('the console', () => {
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
  });
  afterEach(async () => {
    tab.expectNoComplaints();
    await tab.close();
  });

  test('asks for a token, says what is wrong with it, and keeps it out of the address', async () => {
    const { page } = tab;
    await page.goto('/metering');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Enter an access token.').waitFor();
    await page.getByLabel('Access token').fill('not-a-token-of-this-server');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The bearer token is not valid.').waitFor();
    await page.getByLabel('Access token').fill(TOKENS.ingest);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('cannot read').waitFor();
    await expectAccessible(page);
    await signIn(page, TOKENS.admin);
    await page.getByRole('heading', { name: 'Metering', exact: true }).waitFor();
    expect(page.url()).toBe(`${backend.url}/metering`);
    await page.reload();
    await page.getByRole('heading', { name: 'Metering', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Access token').waitFor();
  });

  test('enables a built-in meter, and shows the usage of recorded traffic', async () => {
    const { page } = tab;
    await page.goto('/');
    await signIn(page, TOKENS.admin);
    await page.getByRole('link', { name: 'Metering', exact: true }).click();
    await page.getByText('Enable API Gateway Requests', { exact: true }).click();
    await page.getByText('API Gateway Requests is enabled.').waitFor();
    const time = new Date().toISOString();
    const events = [1, 2, 3].map((number) => ({
      id: `console-${number}`,
      source: 'kong-gateway',
      type: 'kong.api_request',
      subject: 'alice',
      time,
      data: { route_name: 'orders', request_method: 'GET' },
    }));
    await backend.api('POST', '/events', events);
    await page.getByRole('link', { name: 'API Gateway Requests' }).click();
    await page.getByTestId('usage-value').first().waitFor();
    expect(await page.getByTestId('usage-value').allTextContents()).toEqual(['3']);
    await expectAccessible(page);
  });

  test('shows the ten largest of 25 groups and all others, adds them up, and pages through them', async () => {
    const meter = await backend.api('POST', '/meters', {
      key: 'calls_of_routes',
      name: 'Calls of routes',
      aggregation: 'sum',
      event_type: 'call',
      value_property: '$.v',
      dimensions: { route: '$.route' },
    });
    // Route n has n.1 on each of two days.
    const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString();
    const events = Array.from({ length: 50 }, (_, index) => ({
      id: `call-${index}`,
      source: 'test',
      type: 'call',
      subject: 'alice',
      time: day(index < 25 ? 1 : 3),
      data: { v: `${(index % 25) + 1}.1`, route: `route-${(index % 25) + 1}` },
    }));
    await backend.api('POST', '/events', events);
    const { page } = tab;
    const asked = new Set<string>();
    page.on('request', (request) => asked.add(new URL(request.url()).pathname.split(`/meters/${meter.id}`)[1] ?? ''));
    await page.goto(`/metering/meters/${meter.id}?group=route`);
    await signIn(page, TOKENS.admin);
    const legend = page.getByRole('list', { name: 'Groups of Usage of Calls of routes' });
    await legend.getByText('Other (15 groups)').waitFor();
    const largest = Array.from({ length: 10 }, (_, index) => `route-${25 - index} ${2 * (25 - index)}.2`);
    const shown = async () =>
      (await legend.getByRole('listitem').allInnerTexts()).map((text) => text.replace('\n', ' '));
    expect(await shown()).toEqual([...largest, 'Other (15 groups) 243']);
    // 2 × (1.1 + … + 25.1), as the groups and the others add up to.
    expect(await page.getByTestId('usage-total').innerText()).toBe('655');
    await page.getByText('in 25 groups').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('Page 2 of 2').waitFor();
    await expect
      .poll(() => page.getByTestId('usage-value').allInnerTexts())
      .toEqual(['10.2', '8.2', '6.2', '4.2', '2.2']);
    expect(page.url()).toContain('usage-page=2');
    await expectAccessible(page);
    await page.getByLabel('Table').selectOption({ label: 'Each window' });
    await page.getByText('Page 1 of 3').waitFor();
    await page.getByLabel('Granularity').selectOption({ label: 'Minute' });
    await page.getByLabel('Group by: route').click();
    await page.getByLabel('route', { exact: true }).uncheck();
    await expect.poll(() => page.getByTestId('usage-value').allInnerTexts()).toEqual(['327.5', '327.5']);
    // Whose answers have a bound; that of the whole query grows with groups and windows.
    expect(asked).toContain('/query/breakdown');
    expect(asked).not.toContain('/query');
  });

  test('makes a meter from a template, shows the errors of a form on their fields', async () => {
    const { page } = tab;
    await page.goto('/metering');
    await signIn(page, TOKENS.admin);
    await page.getByRole('button', { name: 'Templates' }).click();
    await page.getByText('LLM Tokens', { exact: true }).click();
    await page.getByRole('heading', { name: 'Create Meter' }).waitFor();
    expect(await page.getByLabel('Key').inputValue()).toBe('llm_tokens_total');
    await page.getByLabel('Key').fill('Not A Key');
    await page.getByRole('button', { name: 'Save' }).click();
    const error = page.locator('.k-input', { has: page.getByLabel('Key') });
    await error.getByText(/must consist of lower-case letters/).waitFor();
    await expectAccessible(page);
    await page.getByLabel('Key').fill('llm_tokens_total');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'LLM Tokens' }).waitFor();
  });

  test('shows events with what is wrong with them, and filters that stay in the address', async () => {
    const { page } = tab;
    await page.goto('/metering/events');
    await signIn(page, TOKENS.admin);
    await page.getByText('console-1').waitFor();
    await page.getByLabel('Value').fill('nobody');
    await page.getByRole('button', { name: 'Add filter' }).click();
    await page.getByText('No event matches').waitFor();
    expect(page.url()).toContain('subject.eq=nobody');
    await page.getByRole('button', { name: 'Remove filter subject equals “nobody”' }).click();
    await page.getByRole('button', { name: 'Show event console-1' }).click();
    await page.getByText('no customer found for event subject: alice').first().waitFor();
    await expectAccessible(page);
  });

  test('comes under a policy that lets nothing foreign in; its files are kept for ever, its start page never', async () => {
    const start = await fetch(`${backend.url}/billing/customers?page=2`);
    expect(start.status).toBe(200);
    expect(start.headers.get('content-security-policy')).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self'",
    );
    expect(start.headers.get('content-security-policy')).not.toContain('unsafe');
    expect(start.headers.get('cache-control')).toBe('no-cache');
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(await start.text())?.[1] ?? '';
    const file = await fetch(backend.url + script);
    expect(file.status).toBe(200);
    expect(file.headers.get('cache-control')).toContain('immutable');
    expect(file.headers.get('content-encoding')).toBe('gzip');
    const plain = await fetch(backend.url + script, { headers: { 'accept-encoding': 'identity' } });
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(await plain.text()).toBe(await file.text());
    for (const path of ['/assets/none.js', '/v3/none', '/api/none', '/assets/../../package.json']) {
      expect((await fetch(backend.url + path)).headers.get('content-type'), path).not.toContain('javascript');
    }
    expect((await fetch(`${backend.url}/v3/none`)).status).toBe(404);
  });
});
