import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { seriousViolations } from './support/accessibility.ts';
import { click, hasBrowser, launchBrowser, openTab, signIn } from './support/browser.ts';
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
});
