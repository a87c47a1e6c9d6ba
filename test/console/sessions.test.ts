import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { click, hasBrowser, launchBrowser, openTab, signIn } from '../support/browser.ts';
import { CLIENT, startOidcProvider } from '../support/oidc-provider.ts';
import { seriousViolations } from './support/accessibility.ts';
import { type ConsoleBackend, startConsoleBackend } from './support/console-backend.ts';

describe.skipIf(!hasBrowser)('a session of the console', () => {
  let browser: Browser;
  let backend: ConsoleBackend;
  beforeAll(async () => {
    [browser, backend] = await Promise.all([launchBrowser(), startConsoleBackend()]);
  });
  afterAll(async () => {
    await browser.close();
    await backend.stop();
  });

  test('a new tab is signed in, no script can read what it is by, and signing out goes for all tabs', async () => {
    const { page, context, expectNoComplaints, close } = await openTab(browser, backend.url);
    await page.goto('/billing/customers');
    await signIn(page, TOKENS.admin);
    const readable = 'JSON.stringify([document.cookie, { ...sessionStorage }, { ...localStorage }])';
    expect(await page.evaluate(readable)).not.toMatch(/metering-session|test-admin-token/);
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ name: 'metering-session', httpOnly: true, sameSite: 'Strict' });

    const other = await context.newPage();
    await other.goto('/settings/api-tokens');
    await other.getByText('yours').waitFor();
    // A change, and a file that is loaded: both go by the session.
    await other.getByRole('button', { name: 'Create Token' }).click();
    await other.getByLabel('Name', { exact: false }).last().fill('made with a session');
    await other.getByLabel('Role').selectOption('Viewer');
    await other.getByRole('button', { name: 'Create', exact: true }).click();
    await other.getByText('shown this once').waitFor();

    await click(page, 'Sign out');
    await page.getByLabel('Access token').waitFor();
    await other.getByText('You have signed out in another tab.').waitFor();
    expect(await context.cookies()).toEqual([]);

    // Who signs in there is signed in here.
    await signIn(page, TOKENS.viewer);
    await other.getByRole('button', { name: 'Sign out' }).waitFor();
    const [session] = (await backend.api('GET', '/sessions')).data;
    await backend.api('DELETE', `/sessions/${session.id}`);
    await page.goto('/billing/customers');
    await page.getByText('Your session has ended.').waitFor();

    await signIn(page, TOKENS.admin);
    await page.goto('/settings/sessions');
    await page.getByRole('row', { name: 'this one' }).waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await click(page, 'Sign out everywhere');
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click();
    await page.getByLabel('Access token').waitFor();
    expect((await backend.api('GET', '/sessions')).data).toEqual([]);
    expectNoComplaints();
    await close();
  });

  test('who signs in at a provider of OpenID Connect comes back to the page that was opened', async () => {
    const proxy = await startProxy();
    const provider = await startOidcProvider(`${proxy.url}/v3/openmeter/sign-in/oidc/callback`);
    const own = await startConsoleBackend({
      PUBLIC_URL: proxy.url,
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: CLIENT.id,
      OIDC_CLIENT_SECRET: CLIENT.secret,
      OIDC_NAME: 'Example ID',
      OIDC_ROLE_CLAIM: 'groups',
      OIDC_ROLES: 'sales=billing_admin',
    });
    proxy.leadTo(own.url);
    provider.people.set('alice', { name: 'Alice Archer', groups: ['sales'] });
    const context = await browser.newContext({ baseURL: proxy.url });
    const page = await context.newPage();
    await page.goto('/billing/customers?q=x');
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByRole('link', { name: 'Sign in with Example ID' }).click();
    await page.locator('input[name=login]').fill('alice');
    await page.locator('input[name=password]').fill('any');
    await page.locator('button[type=submit]').click();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('Alice Archer').waitFor();
    expect(page.url()).toBe(`${proxy.url}/billing/customers?q=x`);

    // The session ends in the middle of a form: the way to the provider and back is one of another tab.
    await page.goto('/billing/customers/new');
    await page.getByLabel('Name').fill('Kept meanwhile');
    const [session] = (await own.api('GET', '/sessions')).data;
    await own.api('DELETE', `/sessions/${session.id}`);
    await click(page, 'Save');
    const dialog = page.getByRole('dialog', { name: 'Sign in to go on' });
    const [other] = await Promise.all([
      context.waitForEvent('page'),
      dialog.getByRole('link', { name: 'Sign in with Example ID' }).click(),
    ]);
    await other.getByRole('heading', { name: 'You are signed in' }).waitFor();
    await expect.poll(() => dialog.count()).toBe(0);
    expect(await page.getByLabel('Name').inputValue()).toBe('Kept meanwhile');
    await click(page, 'Save');
    await page.getByRole('heading', { name: 'Kept meanwhile', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();

    await page.goto('/metering?sign_in=no_role');
    await page.getByText('You have none of the roles').waitFor();
    await expect.poll(() => page.url()).toBe(`${proxy.url}/metering`);
    await context.close();
    await own.stop();
    await provider.stop();
    await proxy.stop();
  });
});

/** The address that is known before the backend has one, as a proxy's is. */
async function startProxy() {
  let target = '';
  const server = createServer((incoming, outgoing) => {
    const { method, headers, url } = incoming;
    const asked = request(`${target}${url}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    asked.on('error', () => outgoing.destroy());
    incoming.pipe(asked);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo: (url: string) => {
      target = url;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
