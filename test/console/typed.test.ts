import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { takenOf, valuesOf } from '../../console/shared/typed-values.ts';
import { TOKENS } from '../support/backend.ts';
import { click, hasBrowser, launchBrowser, openTab, signIn, type Tab } from '../support/browser.ts';
import { type ConsoleBackend, startConsoleBackend } from './support/console-backend.ts';

test('a text holds the values between its commas; what is known as a whole is one', () => {
  expect(valuesOf(' a, b ,,a', [])).toEqual(['a', 'b']);
  expect(valuesOf('team, five', ['team, five'])).toEqual(['team, five']);
  expect(takenOf('a,b', [])).toEqual({ values: ['a'], rest: 'b' });
  expect(takenOf('team, fi', ['team, five'])).toEqual({ values: [], rest: 'team, fi' });
  expect(takenOf('one', ['one'])).toEqual({ values: [], rest: 'one' });
});

describe.skipIf(!hasBrowser)('what is typed into a field', () => {
  let browser: Browser;
  let backend: ConsoleBackend;
  let tab: Tab;
  beforeAll(async () => {
    [browser, backend] = await Promise.all([launchBrowser(), startConsoleBackend()]);
    await backend.api('POST', '/customers', { name: 'Bob Ltd', key: 'bob' });
    const time = new Date().toISOString();
    const event = { source: 'test', type: 'kong.api_request', time, data: {} };
    const subjects = ['bob', 'carol', 'carol-2', 'team, five'];
    await backend.api(
      'POST',
      '/events',
      subjects.map((subject) => ({ ...event, id: subject, subject })),
    );
  });
  afterAll(async () => {
    await browser.close();
    await backend.stop();
  });
  beforeEach(async () => {
    tab = await openTab(browser, backend.url);
    await tab.page.goto('/billing/customers/new');
    await signIn(tab.page, TOKENS.admin);
  });
  afterEach(async () => {
    tab.expectNoComplaints();
    await tab.close();
  });

  test('subjects are taken with Enter, a comma, on leaving the field and on Save; known ones by typing', async () => {
    const { page } = tab;
    const field = page.getByRole('combobox', { name: 'Include usage from' });
    const taken = () => page.getByRole('button', { name: /^Remove / }).count();
    await page.getByLabel('Name').fill('Alice');
    await field.fill('by-enter');
    await field.press('Enter');
    await field.pressSequentially('by-comma,');
    await expect.poll(taken).toBe(2);
    await field.fill('by-leaving');
    await page.getByLabel('Primary e-mail').focus();
    await expect.poll(taken).toBe(3);
    // One that has a comma itself, chosen by typing its beginning.
    await field.pressSequentially('team');
    await page.getByRole('option', { name: 'team, five' }).waitFor();
    await field.press('ArrowDown');
    await field.press('Enter');
    await field.pressSequentially('carol');
    await page.getByRole('option', { name: 'carol-2' }).click();
    await field.fill('on-save');
    await click(page, 'Save');
    await page.getByRole('heading', { name: 'Alice', level: 1 }).waitFor();
    const { data } = await backend.api('GET', '/customers?filter[key]=alice');
    expect(data[0].usage_attribution.subject_keys.sort()).toEqual(
      ['by-comma', 'by-enter', 'by-leaving', 'carol-2', 'on-save', 'team, five'].sort(),
    );
  });

  test("another customer's subject is not offered, and says whose it is when it is typed", async () => {
    const { page } = tab;
    const field = page.getByRole('combobox', { name: 'Include usage from' });
    await field.pressSequentially('o');
    await page.getByRole('option', { name: 'carol', exact: true }).waitFor();
    expect(await page.getByRole('option', { name: 'bob' }).count()).toBe(0);
    await field.fill('bob');
    await field.press('Enter');
    await page.getByText('“bob” belongs to Bob Ltd.').waitFor();
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    await page.getByRole('button', { name: 'Remove bob' }).click();
    await expect.poll(() => field.getAttribute('aria-invalid')).toBeNull();
  });

  test('half a date is not taken for none', async () => {
    const { page, open } = tab;
    await open('/metering/meters/new');
    await page.getByLabel('Name').fill('Half');
    await page.getByLabel('Event Type Filter').fill('half');
    await page.getByLabel('Events from').focus();
    await page.keyboard.type('0102');
    await click(page, 'Save');
    await page.getByText('Enter the whole date, or clear it.').waitFor();
    expect((await backend.api('GET', '/meters?filter[key]=half')).data).toEqual([]);
  });
});
