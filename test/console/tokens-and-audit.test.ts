import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSqlite } from '../../backend/platform/db/sqlite.ts';
import { TOKENS } from '../support/backend.ts';
import { click, hasBrowser, launchBrowser, openTab, signIn } from '../support/browser.ts';
import { seriousViolations } from './support/accessibility.ts';
import { type ConsoleBackend, startConsoleBackend } from './support/console-backend.ts';

/** Where pictures of the pages go, to look at them; nowhere unless told. */
const PICTURES = process.env['PICTURES'];

describe.skipIf(!hasBrowser)('access tokens and the audit log', () => {
  let browser: Browser;
  let backend: ConsoleBackend;
  beforeAll(async () => {
    [browser, backend] = await Promise.all([launchBrowser(), startConsoleBackend()]);
  });
  afterAll(async () => {
    await browser.close();
    await backend.stop();
  });

  test('a token is made, shown once, used, revoked; the log shows who changed what', async () => {
    const { page, expectNoComplaints, close } = await openTab(browser, backend.url);
    const picture = async (name: string) => {
      if (PICTURES !== undefined) await page.screenshot({ path: `${PICTURES}/${name}.png` });
      expect(await seriousViolations(page)).toEqual([]);
    };
    await page.goto('/settings/api-tokens');
    await signIn(page, TOKENS.admin);
    await click(page, 'Create Token');
    await click(page, 'Create');
    await page.getByText('must not be empty').waitFor();
    await page.getByLabel('Name', { exact: false }).last().fill('Finance');
    await page.getByLabel('Role').selectOption('Billing Admin');
    await page.getByLabel('Kind').selectOption('personal');
    await page.getByLabel('Expires at').fill('2099-12-31T23:59');
    await picture('create-token');
    await click(page, 'Create');
    await page.getByText('shown this once').waitFor();
    await picture('token-created');
    // What is shown this once does not go by a slip.
    await page.keyboard.press('Escape');
    await page.mouse.click(5, 5);
    await click(page, 'Copy token Finance');
    const token = (await page.evaluate('navigator.clipboard.readText()')) as string;
    expect(token).toMatch(/^kpat_[\w-]{43}$/);
    await click(page, 'Done');
    const row = page.getByRole('row', { name: 'Finance' });
    await row.getByText('Billing Admin').waitFor();
    expect(await page.content()).not.toContain(token);
    await picture('tokens');

    const finance = await openTab(browser, backend.url);
    await finance.page.goto('/billing/customers');
    await signIn(finance.page, token);
    await finance.page.getByText('Create Customer', { exact: true }).first().waitFor();
    await finance.page.goto('/metering');
    await finance.page.getByRole('heading', { name: 'Metering' }).waitFor();
    expect(await finance.page.getByText('Create Meter').count()).toBe(0);
    await finance.page.goto('/settings/tax-codes');
    await finance.page.getByRole('link', { name: 'Corrections' }).waitFor();
    expect(await finance.page.getByRole('link', { name: 'Audit Log' }).count()).toBe(0);
    await finance.page.getByLabel('Name').fill('VAT');
    await click(finance.page, 'Create Tax Code');
    await finance.page.getByText('VAT is created.').waitFor();

    await row.getByRole('button', { name: 'Revoke Finance' }).click();
    await page.getByText('refused at once').waitFor();
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByText('Finance is revoked.').waitFor();
    await finance.page.reload();
    await finance.page.getByText('Your session has ended').waitFor();
    await finance.close();

    await click(page, 'Audit Log');
    await page.getByLabel('Resource type').fill('tax-codes');
    await page.waitForURL('**/settings/audit-log?type=tax-codes');
    await expect.poll(() => page.getByRole('row').count()).toBe(2);
    await page.getByRole('row', { name: 'Finance Billing Admin' }).getByText('create-tax-code').waitFor();
    await page.reload();
    await page.getByRole('button', { name: /^Show create-tax-code/ }).click();
    await page.getByText('"key": "vat"').first().waitFor();
    await picture('audit-entry');
    await page.keyboard.press('Escape');
    await page.getByLabel('Resource type').fill('');
    await page.getByRole('button', { name: /^Show revoke-access-token/ }).waitFor();
    await picture('audit-log');
    expect(await page.content()).not.toContain(token);
    expectNoComplaints();
    await close();
  });

  test('a change is shown field by field; who may not look is told so', async () => {
    const customer = await backend.api('POST', '/customers', { name: 'Alice', key: 'alice' });
    await backend.api('PUT', `/customers/${customer.id}`, { name: 'Alice Ltd' });
    const { page, expectNoComplaints, close } = await openTab(browser, backend.url, { colorScheme: 'dark' });
    await page.goto(`/settings/audit-log?resource=${customer.id}&operation=upsert`);
    await signIn(page, TOKENS.admin);
    await page.getByRole('button', { name: /^Show upsert-customer/ }).click();
    const change = page.getByRole('row', { name: 'name' });
    await change.getByText('"Alice"').waitFor();
    await change.getByText('"Alice Ltd"').waitFor();
    if (PICTURES !== undefined) await page.screenshot({ path: `${PICTURES}/audit-change.png` });
    expect(await seriousViolations(page)).toEqual([]);
    expectNoComplaints();
    await close();

    const viewer = await openTab(browser, backend.url);
    await viewer.page.goto('/settings/api-tokens');
    await signIn(viewer.page, TOKENS.viewer);
    await viewer.page.getByText('Your role does not allow this').waitFor();
    await viewer.page.getByText('It takes a token with the role Metering & Billing Admin').waitFor();
    expect(await viewer.page.getByText('Create Token').count()).toBe(0);
    await viewer.close();
  });
});

describe.skipIf(!hasBrowser)('the clock of the machine', () => {
  test('that is not believed is told on every page, until it is confirmed', async () => {
    const backend = await startConsoleBackend({}, (dataDir) => {
      const db = openSqlite(join(dataDir, 'control.sqlite'));
      db.prepare(`INSERT INTO trusted_clock VALUES ('machine', '2026-01-01T00:00:00.000Z')`).run();
      db.close();
    });
    const browser = await launchBrowser();
    const { page, close } = await openTab(browser, backend.url);
    await page.goto('/settings/jobs');
    await signIn(page, TOKENS.admin);
    const alarm = page.getByRole('alert').filter({ hasText: 'which cannot be' });
    await alarm.waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.goto('/billing/customers');
    await alarm.waitFor();
    await click(page, 'Confirm the clock');
    await click(page, 'The clock is right');
    // By that time the session, which was begun eleven months before, is over.
    const dialog = page.getByRole('dialog', { name: 'Sign in to go on' });
    await dialog.getByLabel('Access token').fill(TOKENS.admin);
    await dialog.getByRole('button', { name: 'Sign in' }).click();
    await alarm.waitFor({ state: 'detached' });
    expect(await backend.api('GET', '/machine-clock')).toMatchObject({ trusted: true });
    await close();
    await browser.close();
    await backend.stop();
  });
});
