import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSender, createWebhookTransport } from '../../../backend/notifications/deliveries/index.ts';
import { openSqlite } from '../../../backend/platform/db/sqlite.ts';
import { codeOf, send } from '../../support/answers.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../support/backend.ts';
import { createCharge, flatCharge } from '../../support/billing/charges.ts';
import { getInvoice, invoiceNow } from '../../support/billing/invoices.ts';
import { createCustomer } from '../../support/customers/customers.ts';
import { type Receiver, startReceiver, verify } from '../../support/notifications/receiver.ts';
import { testScope } from '../../support/scope.ts';

const NOW = '2026-11-21T12:00:00Z';
const SECRETS_KEY = 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
let t: TestBackend;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  const notifications = { allowedNetworks: ['127.0.0.1'], timeoutMs: 400, secretsKeys: [SECRETS_KEY] };
  t = await createTestBackend({ notifications });
});
afterAll(async () => {
  await t.close();
  await receiver.close();
});

const channelAt = (path: string, fields: Record<string, unknown> = {}) =>
  send(t, 'POST', '/notification/channels', { type: 'webhook', name: path, url: receiver.url + path, ...fields }, 201);
const rule = (type: string, ...channels: { id: string }[]) =>
  send(
    t,
    'POST',
    '/notification/rules',
    { type, name: `${type} to ${channels.length}`, channels: channels.map(({ id }) => ({ id })) },
    201,
  );
/** An event for the channel, as a test of a rule makes it. */
async function eventFor(channel: { id: string }) {
  const made = await rule('invoice.created', channel);
  const event = await send(t, 'POST', `/notification/rules/${made.id}/test`, undefined, 201);
  await send(t, 'DELETE', `/notification/rules/${made.id}`, undefined, 204);
  return event;
}
const event = (id: string) => send(t, 'GET', `/notification/events/${id}`, undefined, 200);
const statusOf = async (id: string) => (await event(id)).delivery_status[0];
const deliver = () => t.notifications.sender.deliverDue();
/** To the instant at which the next attempt is due. */
async function nextAttempt(id: string) {
  t.clock.set((await statusOf(id)).next_attempt);
  await deliver();
  return statusOf(id);
}

describe('invoices', () => {
  test('what happens to an invoice is told, signed, as the API answers it', async () => {
    const channel = await channelAt('/invoices', { custom_headers: { 'X-Shared': 'abc' } });
    await rule('invoice.created', channel);
    await rule('invoice.updated', channel);
    const customer = await createCustomer(t, 'told');
    await createCharge(t, customer.id, flatCharge('10', NOW));
    const invoice = await invoiceNow(t, customer.id);
    await deliver();
    const messages = receiver.received('/invoices');
    for (const message of messages) verify(message, channel.signing_secret);
    const [created, updated] = messages.map(({ json }) => json);
    expect(created).toMatchObject({
      specversion: '1.0',
      type: 'invoice.created',
      subject: 'told',
      timestamp: created.time,
    });
    expect(created.data).toMatchObject({ id: invoice.id, status: 'draft', lines: [{ name: 'Fee' }] });
    expect(messages[0]?.headers).toMatchObject({ 'x-shared': 'abc', 'webhook-id': created.id });
    // One move, one message: what an invoice passes at once is no news of its own.
    expect(messages).toHaveLength(2);
    expect(updated.data).toMatchObject({ status: 'paid', totals: { total: '10' }, previous: { status: 'draft' } });
    expect(updated.data).toMatchObject({ ...(await getInvoice(t, invoice.id)), previous: expect.anything() });
  });

  test('a rule that is switched off, or gone, tells nothing', async () => {
    const channel = await channelAt('/none');
    const made = await rule('invoice.created', channel);
    const customer = await createCustomer(t, 'none');
    await createCharge(t, customer.id, flatCharge('10', NOW));
    await send(t, 'PUT', `/notification/rules/${made.id}`, { ...writable(made), disabled: true }, 200);
    await invoiceNow(t, customer.id);
    await send(t, 'DELETE', `/notification/rules/${made.id}`, undefined, 204);
    await createCharge(t, customer.id, flatCharge('10', NOW));
    await invoiceNow(t, customer.id);
    await deliver();
    expect(receiver.received('/none')).toEqual([]);
  });
});

const writable = ({ id: _, created_at: _c, updated_at: _u, health: _h, ...fields }: Record<string, unknown>) => fields;

describe('attempts', () => {
  test('a receiver that fails is asked again on the schedule of Standard Webhooks, with the same id and text', async () => {
    const channel = await channelAt('/fails');
    receiver.behave('/fails', (_request, response) => response.writeHead(500).end('broken'));
    const { id } = await eventFor(channel);
    await deliver();
    const delays: number[] = [];
    let status = await statusOf(id);
    expect(status).toMatchObject({ state: 'sending', reason: 'answered 500' });
    while (status.next_attempt !== undefined) {
      delays.push(Date.parse(status.next_attempt) - t.clock.nowMs());
      status = await nextAttempt(id);
    }
    const minutes = [1 / 12, 5, 30, 120, 300, 600, 840, 1200, 1440];
    expect(delays).toHaveLength(minutes.length);
    for (const [index, delayMs] of delays.entries()) {
      const wantedMs = (minutes[index] ?? 0) * 60_000;
      expect(delayMs).toBeGreaterThanOrEqual(wantedMs);
      expect(delayMs).toBeLessThanOrEqual(wantedMs * 1.1 + 1);
    }
    expect(status).toMatchObject({ state: 'failed', reason: 'attempts_exhausted' });
    expect(status.attempts).toHaveLength(10);
    expect(status.attempts[0].response).toMatchObject({ status_code: 500, body: 'broken' });
    const messages = receiver.received('/fails');
    expect(new Set(messages.map(({ text }) => text)).size).toBe(1);
    expect(new Set(messages.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([id]));
    expect(new Set(messages.map(({ headers }) => headers['webhook-signature'])).size).toBe(10);
    for (const message of messages) verify(message, channel.signing_secret);

    // A dead letter: found as one, sent once more, with the same text.
    const failed = `/notification/events?filter[delivery_status]=failed&filter[channel_id]=${channel.id}`;
    expect((await send(t, 'GET', failed, undefined, 200)).data).toMatchObject([{ id }]);
    receiver.behave('/fails', (_request, response) => response.writeHead(200).end());
    await send(t, 'POST', `/notification/events/${id}/resend`, undefined, 202);
    expect(await statusOf(id)).toMatchObject({ state: 'resending' });
    t.clock.advanceMs(300_000);
    await deliver();
    expect(await statusOf(id)).toMatchObject({ state: 'success' });
    expect(receiver.received('/fails').at(-1)?.text).toBe(messages[0]?.text);
  });

  test('after five days without any success the channel is switched off, and says why', async () => {
    const channel = await channelAt('/dead');
    receiver.behave('/dead', (_request, response) => response.writeHead(503).end());
    const first = await eventFor(channel);
    await deliver();
    t.clock.advanceMs(5 * 86_400_000);
    await deliver();
    const read = await send(t, 'GET', `/notification/channels/${channel.id}`, undefined, 200);
    expect(read).toMatchObject({ disabled: true, disabled_reason: 'Every message of five days has failed.' });
    const later = await eventFor(channel);
    // What was under way ends; what is new is written down, and goes nowhere.
    expect(later.delivery_status).toEqual([]);
    t.clock.advanceMs(86_400_000);
    await deliver();
    expect(await statusOf(first.id)).toMatchObject({ state: 'failed', reason: 'channel_disabled' });
    const { json } = await t.request('POST', `/notification/events/${first.id}/resend`, {
      body: { channels: [{ id: channel.id }] },
    });
    expect(codeOf(json)).toBe('notification_channel_disabled');
    const on = await send(t, 'PUT', `/notification/channels/${channel.id}`, writable(channel), 200);
    expect(on).toMatchObject({ disabled: false, health: { consecutive_failures: 0 } });
    expect(on.disabled_reason).toBeUndefined();
  });

  test.each([
    ['redirects', 302, { location: 'http://127.0.0.1:9/elsewhere' }, 'sending', 'answered 302'],
    ['is gone', 410, {}, 'failed', 'receiver_gone'],
    ['wants it not again', 400, { 'webhook-delivery': 'abort-message' }, 'failed', 'refused_by_receiver'],
  ])('a receiver that %s', async (name, statusCode, headers, state, reason) => {
    const path = `/${name.replaceAll(' ', '-')}`;
    const channel = await channelAt(path);
    receiver.behave(path, (_request, response) => response.writeHead(statusCode, headers).end());
    const { id } = await eventFor(channel);
    await deliver();
    expect(await statusOf(id)).toMatchObject({ state, reason });
    const { disabled } = await send(t, 'GET', `/notification/channels/${channel.id}`, undefined, 200);
    expect(disabled).toBe(statusCode === 410);
  });

  test('a receiver that asks for a pause has it, for all its messages', async () => {
    const channel = await channelAt('/busy');
    receiver.behave('/busy', (_request, response) => response.writeHead(429, { 'retry-after': '7200' }).end());
    const { id } = await eventFor(channel);
    await deliver();
    const nextMs = Date.parse((await statusOf(id)).next_attempt);
    expect(nextMs - t.clock.nowMs()).toBe(7_200_000);
    await eventFor(channel);
    await deliver();
    expect(receiver.received('/busy')).toHaveLength(1);
  });

  test('receivers that hang or send an endless answer hold up nobody; what they answered counts', async () => {
    const hangs = await channelAt('/hangs');
    const endless = await channelAt('/endless');
    const quick = await channelAt('/quick');
    receiver.behave('/hangs', () => {});
    receiver.behave('/endless', (_request, response) => {
      response.writeHead(200);
      const write = () => !response.destroyed && response.write('x'.repeat(1000), () => setImmediate(write));
      write();
    });
    const stuck = await Promise.all(Array.from({ length: 10 }, () => eventFor(hangs)));
    const long = await eventFor(endless);
    const good = await eventFor(quick);
    const delivered = deliver();
    await expect.poll(async () => (await statusOf(good.id)).state).toBe('success');
    await delivered;
    expect(await statusOf(stuck[0].id)).toMatchObject({ state: 'sending', reason: 'no answer within 400 ms' });
    const { attempts, state } = await statusOf(long.id);
    expect(state).toBe('success');
    expect(attempts[0].response.body).toHaveLength(4096);
    // After three failures one at a time is tried, and later ever less often: not ten.
    expect(receiver.received('/hangs').length).toBeLessThan(10);
  });

  test('in order where the channel wants it: one that fails holds up those behind it', async () => {
    const channel = await channelAt('/ordered', { ordered: true });
    receiver.behave('/ordered', (_request, response) => response.writeHead(500).end());
    const first = await eventFor(channel);
    const second = await eventFor(channel);
    await deliver();
    expect(receiver.received('/ordered').map(({ json }) => json.id)).toEqual([first.id]);
    receiver.behave('/ordered', (_request, response) => response.writeHead(204).end());
    await nextAttempt(first.id);
    expect(receiver.received('/ordered').map(({ json }) => json.id)).toEqual([first.id, first.id, second.id]);
  });
});

test('two who send from one database at the same time never send the same message', async () => {
  const channel = await channelAt('/shared');
  const events = await Promise.all(Array.from({ length: 30 }, () => eventFor(channel)));
  const webhook = createWebhookTransport({ allowedNetworks: ['127.0.0.1'], timeoutMs: 400 });
  const { url, signing_secret } = channel;
  const target = { type: 'webhook', url, headers: {}, signingSecrets: [signing_secret] } as const;
  const other = createSender(testScope(t.db, t.clock), {
    transports: { webhook },
    channelOf: async () => ({ isOrdered: false, closed: undefined, target }),
    disable: async () => {},
    random: () => 0,
  });
  await Promise.all([deliver(), other.deliverDue()]);
  await webhook.close();
  expect(
    receiver
      .received('/shared')
      .map(({ json }) => json.id)
      .sort(),
  ).toEqual(events.map(({ id }) => id).sort());
});

describe('secrets', () => {
  test('both secrets sign while they overlap', async () => {
    const channel = await channelAt('/rotated');
    const rotated = await send(
      t,
      'POST',
      `/notification/channels/${channel.id}/rotate-secret`,
      { overlap: 'PT1H' },
      200,
    );
    expect(rotated.signing_secret).not.toBe(channel.signing_secret);
    await eventFor(channel);
    await deliver();
    t.clock.advanceMs(3_600_000);
    await eventFor(channel);
    await deliver();
    const [both, later] = receiver.received('/rotated');
    if (both === undefined || later === undefined) throw new Error('two messages were expected');
    verify(both, channel.signing_secret);
    verify(both, rotated.signing_secret);
    expect(() => verify(later, channel.signing_secret)).toThrow('no signature');
    verify(later, rotated.signing_secret);
  });

  test('are told to who may change them only, and stand in no log, list or database', async () => {
    const custom_headers = { Authorization: 'Bearer receivers-own-secret' };
    const channel = await channelAt('/secret', { custom_headers });
    const asked = `/notification/channels/${channel.id}`;
    const told = (await t.request('GET', asked)).json;
    expect(told).toMatchObject({ signing_secret: channel.signing_secret, custom_headers });
    await send(t, 'PUT', asked, { ...writable(channel), name: 'Renamed' }, 200);
    const viewer = await t.request('GET', asked, { token: TOKENS.viewer });
    const list = await t.request('GET', '/notification/channels?page[size]=1000');
    const audit = await t.request('GET', '/audit-log?page[size]=100');
    const sqlite = openSqlite(join(t.dataDir, 'control.sqlite'));
    const rows = JSON.stringify(sqlite.prepare('SELECT * FROM notification_channels').all());
    sqlite.close();
    expect(viewer.json.name).toBe('Renamed');
    expect(audit.text).toContain('update-notification-channel');
    const everywhere = [viewer.text, list.text, audit.text, rows, t.logLines.join()].join();
    expect(everywhere).not.toContain(channel.signing_secret);
    expect(everywhere).not.toContain('receivers-own-secret');
  });

  test('a channel that was sealed with a key that is gone says so, and holds up no other one', async () => {
    const { dataDir } = t;
    const lost = await channelAt('/lost');
    const { id } = await eventFor(lost);
    const other = await createTestBackend({ dataDir, notifications: { allowedNetworks: ['127.0.0.1'] } });
    try {
      const plain = { type: 'webhook', name: 'plain', url: `${receiver.url}/plain` };
      const channel = await send(other, 'POST', '/notification/channels', plain, 201);
      expect((await send(other, 'POST', `/notification/channels/${channel.id}/test`, undefined, 200)).success).toBe(
        true,
      );
      await other.notifications.sender.deliverDue();
      expect((await send(other, 'GET', `/notification/events/${id}`, undefined, 200)).delivery_status[0].state).toBe(
        'pending',
      );
      await send(other, 'PUT', `/notification/channels/${lost.id}`, plain, 409);
      const signing_secret = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
      await send(other, 'PUT', `/notification/channels/${lost.id}`, { ...plain, signing_secret }, 200);
    } finally {
      await other.usage.close();
      await other.db.close();
      await other.notifications.close();
    }
    t.clock.advanceMs(60_000);
  });
});

describe('channels and rules', () => {
  test.each([
    ['an address that is no URL', { url: 'nowhere' }, 'url'],
    ['another scheme', { url: 'ftp://example.com' }, 'url'],
    ['credentials in the address', { url: 'https://me:pass@example.com' }, 'url'],
    ['a header of the sender', { custom_headers: { 'Webhook-Id': 'x' } }, 'custom_headers.Webhook-Id'],
    ['a line break', { custom_headers: { 'X-A': 'a\r\nHost: b' } }, 'custom_headers.X-A'],
    ['a header twice', { custom_headers: { 'X-A': 'a', 'x-a': 'b' } }, 'custom_headers.x-a'],
    ['a short secret', { signing_secret: 'whsec_short' }, 'signing_secret'],
    ['another type', { type: 'pager' }, 'type'],
  ])('400: a channel with %s', async (_, fields, field) => {
    const body = { type: 'webhook', name: 'n', url: receiver.url, ...fields };
    const { status, json } = await t.request('POST', '/notification/channels', { body });
    expect({ status, field: json.invalid_parameters[0].field }).toEqual({ status: 400, field });
  });

  test('private addresses are not reached, and the answer says nothing of them', async () => {
    const { signing_secret: _, ...channel } = await channelAt('/x', { url: 'https://10.0.0.1/hook' });
    const tested = await send(t, 'POST', `/notification/channels/${channel.id}/test`, undefined, 200);
    expect(tested).toMatchObject({ success: false, body: 'the address is not one that may be reached' });
  });

  test('a rule needs channels that are there; a channel that is used stays; types stay', async () => {
    const channel = await channelAt('/used');
    const unknown = await t.request('POST', '/notification/rules', {
      body: {
        type: 'invoice.created',
        name: 'n',
        channels: [{ id: channel.id }, { id: '01HZZZZZZZZZZZZZZZZZZZZZZZ' }],
      },
    });
    expect(unknown.json.extensions.validationErrors[0]).toMatchObject({
      code: 'notification_channel_not_found',
      field: 'channels.1.id',
    });
    const made = await rule('invoice.created', channel);
    const refused = await t.request('DELETE', `/notification/channels/${channel.id}`);
    expect(codeOf(refused.json)).toBe('notification_channel_in_use');
    expect(refused.json.detail).toContain(made.name);
    const other = await t.request('PUT', `/notification/rules/${made.id}`, {
      body: { ...writable(made), type: 'invoice.updated' },
    });
    expect(codeOf(other.json)).toBe('notification_rule_type_fixed');
    await send(t, 'DELETE', `/notification/rules/${made.id}`, undefined, 204);
    await send(t, 'DELETE', `/notification/channels/${channel.id}`, undefined, 204);
    expect((await send(t, 'GET', `/notification/channels/${channel.id}`, undefined, 200)).deleted_at).toBeDefined();
    await send(t, 'PUT', `/notification/channels/${channel.id}`, writable(channel), 410);
  });

  test('every type says what it is, with a schema and an example that the schema takes', async () => {
    const { data } = await send(t, 'GET', '/notification/event-types', undefined, 200);
    for (const { type, schema, example } of data) {
      expect({ type, of: example.type, required: schema.required }).toMatchObject({
        of: type,
        required: expect.arrayContaining(['id', 'data']),
      });
    }
  });
});

test('what is old goes, but what is on its way', async () => {
  const channel = await channelAt('/old');
  const done = await eventFor(channel);
  await deliver();
  receiver.behave('/old', (_request, response) => response.writeHead(500).end());
  const open = await eventFor(channel);
  await deliver();
  t.clock.advanceMs(91 * 86_400_000);
  while ((await t.notifications.expire(90)).state === 'more') {
    // Some at a time.
  }
  expect((await t.request('GET', `/notification/events/${done.id}`)).status).toBe(404);
  expect(await statusOf(open.id)).toMatchObject({ state: 'sending', attempts: [] });
});
