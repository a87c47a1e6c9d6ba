import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { click, hasBrowser, launchBrowser, openTab, signIn, type Tab } from '../support/browser.ts';
import { expectAccessible } from './support/accessibility.ts';
import { type ConsoleBackend, startConsoleBackend } from './support/console-backend.ts';

describe.skipIf(!hasBrowser)('a session that ends while somebody works', () => {
  let browser: Browser;
  let backend: ConsoleBackend;
  let tab: Tab;
  beforeAll(async () => {
    [browser, backend] = await Promise.all([launchBrowser(), startConsoleBackend()]);
    await backend.api('POST', '/customers', { key: 'first', name: 'First of all' });
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
  const dialog = () => tab.page.getByRole('dialog', { name: 'Sign in to go on' });
  const signInAgain = async (token: string) => {
    await dialog().getByLabel('Access token').fill(token);
    await dialog().getByRole('button', { name: 'Sign in' }).click();
  };
  const names = async () => (await backend.api('GET', '/customers')).data.map(({ name }: { name: string }) => name);
  const endSessions = async () => {
    for (const { id } of (await backend.api('GET', '/sessions')).data) await backend.api('DELETE', `/sessions/${id}`);
  };
  /** The form of a new customer, filled in by the admin, whose session is over when it is saved. */
  const saveTooLate = async (name: string) => {
    const { page } = tab;
    await page.goto('/billing/customers/new');
    await signIn(page, TOKENS.admin);
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Primary e-mail').fill('kept@example.com');
    await endSessions();
    await click(page, 'Save');
    await dialog().getByText('Your session has ended. Sign in again.').waitFor();
  };

  test('keeps what was entered: after the sign-in it stands as it was, and is saved by Save', async () => {
    const { page } = tab;
    await saveTooLate('Kept over the end');
    await dialog().getByText('What you have entered on this page is kept.').waitFor();
    await expectAccessible(page);
    // Nothing below can be reached, and no key closes it.
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    for (let presses = 0; presses < 12; presses++) {
      await page.keyboard.press('Tab');
      expect(await page.evaluate('document.querySelector("main").contains(document.activeElement)')).toBe(false);
    }
    await signInAgain('not-a-token-of-this-server');
    await dialog().getByText('The bearer token is not valid.').waitFor();
    await signInAgain(TOKENS.admin);
    await page.getByText('This is not saved yet: your session had ended.').waitFor();
    await expect.poll(() => dialog().count()).toBe(0);
    expect(await page.evaluate('document.activeElement.textContent')).toContain('This is not saved yet');
    expect(await page.getByLabel('Name').inputValue()).toBe('Kept over the end');
    expect(await page.getByLabel('Primary e-mail').inputValue()).toBe('kept@example.com');
    // Nothing is sent again that nobody has asked for.
    expect(await names()).toEqual(['First of all']);
    await click(page, 'Save');
    await page.getByRole('heading', { name: 'Kept over the end', level: 1 }).waitFor();
    expect(await names()).toContain('Kept over the end');
  });

  test('lets another token go on with it, that may save it, and none that may not', async () => {
    const { page } = tab;
    await saveTooLate('By another');
    await signInAgain(TOKENS.viewer);
    await dialog()
      .getByText(/This token's role, "viewer", may not do all that "admin" may/)
      .waitFor();
    const next = await backend.api('POST', '/access-tokens', { name: 'the next token', role: 'admin' });
    await signInAgain(next.token);
    await page.getByText('You are signed in as the next token now. What was entered before is still here.').waitFor();
    expect(await page.getByLabel('Name').inputValue()).toBe('By another');
    await click(page, 'Save');
    await page.getByRole('heading', { name: 'By another', level: 1 }).waitFor();
    const [entry] = (await backend.api('GET', '/audit-log?filter[operation_id]=create-customer')).data;
    expect(entry.actor.name).toBe('the next token');
  });

  test('in another tab, by signing out: what was entered is hidden, and there for who comes back', async () => {
    const { page, context } = tab;
    await page.goto('/billing/customers/new');
    await signIn(page, TOKENS.admin);
    await page.getByLabel('Name').fill('Hidden');
    const other = await context.newPage();
    await other.goto('/billing/customers');
    await click(other, 'Sign out');
    await dialog().getByText('You have signed out in another tab.').waitFor();
    // Somebody who may not save it does not get to see it.
    await signIn(other, TOKENS.viewer);
    await dialog()
      .getByText(/whose role, "viewer", may not do all/)
      .waitFor();
    await click(other, 'Sign out');
    await signIn(other, TOKENS.admin);
    await expect.poll(() => dialog().count()).toBe(0);
    expect(await page.getByLabel('Name').inputValue()).toBe('Hidden');
    await other.close();
  });

  test('reads on after the sign-in, and as somebody else with a new page', async () => {
    const { page } = tab;
    await page.goto('/billing/customers');
    await signIn(page, TOKENS.admin);
    await page.getByText('First of all').waitFor();
    await endSessions();
    await page.getByRole('link', { name: 'First of all' }).click();
    await signInAgain(TOKENS.admin);
    await page.getByRole('heading', { name: 'First of all', level: 1 }).waitFor();
    await endSessions();
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Settings' }).click();
    await dialog().waitFor();
    await page.evaluate('window.isTheOldPage = true');
    await signInAgain(TOKENS.viewer);
    await page.locator('.who', { hasText: 'viewer' }).waitFor();
    expect(await page.evaluate('window.isTheOldPage')).toBeUndefined();
  });

  test('leaves nothing of what was read to who signs in next', async () => {
    const { page } = tab;
    await page.goto('/billing/customers');
    await signIn(page, TOKENS.admin);
    await page.getByText('First of all').waitFor();
    await click(page, 'Sign out');
    await page.getByLabel('Access token').waitFor();
    // What is shown now is what the page still has.
    await page.route('**/v3/openmeter/customers?**', () => undefined);
    await signIn(page, TOKENS.viewer);
    await page.getByRole('heading', { name: 'Billing', level: 1 }).waitFor();
    expect(await page.getByText('First of all').count()).toBe(0);
  });
});
