import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { click, hasBrowser, launchBrowser, openTab, signIn } from '../support/browser.ts';
import { type Receiver, startReceiver, verify } from '../support/notifications/receiver.ts';
import { seriousViolations } from './support/accessibility.ts';
import { type ConsoleBackend, startConsoleBackend } from './support/console-backend.ts';

describe.skipIf(!hasBrowser)('notifications', () => {
  let browser: Browser;
  let backend: ConsoleBackend;
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await startReceiver();
    const settings = { NOTIFICATION_ALLOWED_NETWORKS: '127.0.0.1' };
    [browser, backend] = await Promise.all([launchBrowser(), startConsoleBackend(settings)]);
  });
  afterAll(async () => {
    await browser.close();
    await backend.stop();
    await receiver.close();
  });

  const stateIs = (state: string) =>
    expect
      .poll(async () => (await backend.api('GET', `/notification/events?filter[delivery_status]=${state}`)).data.length)
      .toBe(1);

  test('a channel and a rule are made; an example fails, and arrives when it is sent again', async () => {
    const { page, expectNoComplaints, close } = await openTab(browser, backend.url);
    await page.goto('/settings/notifications');
    await signIn(page, TOKENS.admin);
    await click(page, 'Create Channel');
    await click(page, 'Save');
    await page.getByText('must not be empty').first().waitFor();
    await page.getByLabel('Name', { exact: false }).last().fill('Our books');
    await page.getByLabel('URL').fill(`${receiver.url}/books`);
    await page.getByLabel('Custom headers').fill('Host: example.com');
    await click(page, 'Save');
    await page.getByText('is set by the sender').waitFor();
    await page.getByLabel('Custom headers').fill('X-Shared: abc');
    expect(await seriousViolations(page)).toEqual([]);
    await click(page, 'Save');
    await click(page, 'Send test message');
    await page.getByText('The message has arrived').waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await click(page, 'Copy signing secret');
    const secret = (await page.evaluate('navigator.clipboard.readText()')) as string;
    const [tested] = receiver.received('/books');
    if (tested === undefined) throw new Error('nothing has arrived');
    verify(tested, secret);
    expect(tested.headers['x-shared']).toBe('abc');
    await page.keyboard.press('Escape');

    await click(page, 'Create Rule');
    await page.getByLabel('Name', { exact: false }).last().fill('Invoices');
    await page.getByLabel('Type').selectOption('Invoice created');
    await page.getByRole('checkbox', { name: 'Our books' }).check();
    await click(page, 'Save');
    await click(page, 'Create Rule');
    await page.getByLabel('Name', { exact: false }).last().fill('Nearly used up');
    await page.getByLabel('Type').selectOption('Entitlement balance threshold');
    await page.getByRole('checkbox', { name: 'Our books' }).check();
    await page.getByLabel('Value 1').fill('much');
    await click(page, 'Save');
    await page.getByText('must be a number').waitFor();
    await page.getByLabel('Value 1').fill('80');
    await click(page, 'Add threshold');
    await page.getByLabel('Value 2').fill('100');
    expect(await seriousViolations(page)).toEqual([]);
    await click(page, 'Save');
    await page.getByRole('row', { name: 'Nearly used up' }).getByText('Entitlement balance threshold').waitFor();
    receiver.behave('/books', (_request, response) => response.writeHead(410).end('no more'));
    await page.getByRole('button', { name: 'Send an example of Invoices' }).click();
    await page.getByText('An example is on its way').waitFor();
    await stateIs('failed');
    await page.goto('/settings/notifications/deliveries?state=failed');
    await page.getByText('FAILED').last().waitFor();
    await page.getByRole('button', { name: 'Invoice created', exact: true }).click();
    await page.getByText('receiver_gone').waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.goto('/settings/notifications');
    await page.getByText('switched off by the server').waitFor();
    await page.getByRole('button', { name: 'Our books', exact: true }).click();
    await page.getByText('The receiver answered 410').waitFor();
    await click(page, 'Change');
    await page.getByLabel('Switched off').uncheck();
    await click(page, 'Save');
    receiver.behave('/books', (_request, response) => response.writeHead(204).end());
    await page.goto('/settings/notifications/deliveries');
    await page.getByRole('button', { name: 'Invoice created', exact: true }).click();
    await click(page, 'Resend');
    await page.getByText('on its way once more').waitFor();
    await stateIs('success');
    await page.reload();
    await page.getByText('SUCCESS').last().waitFor();
    expectNoComplaints();
    await close();
  });
});
