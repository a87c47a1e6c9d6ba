import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { expectAccessible } from './support/accessibility.ts';
import { hasBrowser, launchBrowser, openTab, signIn, type Tab } from './support/browser.ts';
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
