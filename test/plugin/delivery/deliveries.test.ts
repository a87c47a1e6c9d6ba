import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../delivery/clock.ts';
import { createDeliveries } from '../../../plugin/delivery/deliveries.ts';
import type { Deliverable, DeliverySettings } from '../../../plugin/delivery/index.ts';
import { createManualClock } from '../../support/plugin/manual-clock.ts';
import {
  createRig,
  event,
  ids,
  pushAll,
  type SettingsOverrides,
  serve,
  settingsFor,
  TOKEN,
  until,
} from '../../support/plugin/rig.ts';

describe('one Delivery per settings', () => {
  test('equal settings share one, so that what two instances push leaves in one batch', async () => {
    const server = await serve();
    const rig = createRig(server.url, { queue: { maxBatchSize: 4 } });
    const again = rig.deliveries.open(settingsFor(server.url, { queue: { maxBatchSize: 4 } }));
    expect(again).toBe(rig.delivery);
    pushAll(rig.delivery, ['a', 'b']);
    pushAll(again, ['c', 'd']);
    await until(() => expect(server.requests.map((request) => request.ids)).toEqual([['a', 'b', 'c', 'd']]));
  });

  test.each<[string, SettingsOverrides & { endpoint?: string }]>([
    ['endpoint', { endpoint: 'http://127.0.0.1:1/other' }],
    ['token', { token: 'another' }],
    ['timeout', { timeoutMs: 1 }],
    ['keepalive', { keepaliveMs: 1 }],
    ['ssl_verify', { sslVerify: false }],
    ...Object.entries({
      maxBatchSize: 1,
      maxCoalescingDelayMs: 1,
      maxEntries: 1,
      maxBytes: 1,
      initialRetryDelayMs: 1,
      maxRetryDelayMs: 1,
      maxRetryTimeMs: 1,
      concurrencyLimit: -1,
      failureThreshold: 1,
      breakerCooldownMs: 1,
    }).map(([name, value]): [string, SettingsOverrides] => [name, { queue: { [name]: value } }]),
  ])('another %s is another Delivery', (_name, overrides) => {
    const rig = createRig('http://127.0.0.1:1/');
    const other: DeliverySettings = settingsFor(overrides.endpoint ?? 'http://127.0.0.1:1/', overrides);
    expect(rig.deliveries.open(other)).not.toBe(rig.delivery);
    expect(rig.deliveries.open(other)).toBe(rig.deliveries.open(structuredClone(other)));
  });

  test('queues that nobody uses are closed when there are many, and come back with the next push', async () => {
    const clock = createManualClock();
    const server = await serve();
    // The first one stays: it tells the backend what belongs to none of them.
    const rig = createRig(server.url, { clock, token: 'first', queue: { maxBatchSize: 1 } });
    const unused = rig.deliveries.open(settingsFor(server.url, { queue: { maxBatchSize: 1 } }));
    pushAll(unused, ['before']);
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 1, waiting: 0 }));
    const busy = rig.deliveries.open(settingsFor(server.url, { token: 'busy' }));
    pushAll(busy, ['held']);
    clock.advance(999);
    clock.advance(600_000 - 999);
    await until(() => expect(server.accepted).toContain('held'));
    for (const token of ids(100, 'token')) rig.deliveries.open(settingsFor(server.url, { token }));
    const reopened = rig.deliveries.open(settingsFor(server.url, { queue: { maxBatchSize: 1 } }));
    expect(reopened).not.toBe(unused);
    pushAll(unused, ['old face']);
    pushAll(reopened, ['new face']);
    await until(() => expect(server.accepted.slice(2)).toEqual(['old face', 'new face']));
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ taken: 4, sent: 4, waiting: 0, dropped: {} }));
  });

  test('a queue that still holds events is not closed, however long nothing was pushed', async () => {
    const clock = createManualClock();
    const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
    const server = await serve(async () => {
      await gate;
      return { status: 202 };
    });
    const rig = createRig(server.url, { clock, timeoutMs: 1e9, queue: { maxBatchSize: 1 } });
    pushAll(rig.delivery, ids(3));
    await until(() => expect(server.requests).toHaveLength(1));
    clock.advance(3_600_000);
    for (const token of ids(100, 'token')) rig.deliveries.open(settingsFor(server.url, { token }));
    expect(rig.deliveries.open(settingsFor(server.url, { timeoutMs: 1e9, queue: { maxBatchSize: 1 } }))).toBe(
      rig.delivery,
    );
    openGate();
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 3, waiting: 0, dropped: {} }));
  });

  test.each<[string, SettingsOverrides & { endpoint?: string }, RegExp]>([
    ['no URL', { endpoint: 'secret-host' }, /endpoint is not an http/],
    ['a URL of another kind', { endpoint: 'ftp://secret-host/' }, /endpoint is not an http/],
    ['no token', { token: '' }, /token/],
    ['a token with a line break', { token: 'secret-token\n' }, /token/],
    ['a NaN', { queue: { maxEntries: Number.NaN } }, /maxEntries/],
    ['a batch of none', { queue: { maxBatchSize: 0 } }, /maxBatchSize/],
    ['a negative delay', { queue: { maxRetryDelayMs: -1 } }, /maxRetryDelayMs/],
    ['no concurrency', { queue: { concurrencyLimit: 0 } }, /concurrencyLimit/],
  ])('settings with %s are refused when they are opened, without naming a value', (_name, overrides, message) => {
    const { deliveries } = createRig('http://127.0.0.1:1/');
    const open = () => deliveries.open(settingsFor(overrides.endpoint ?? 'http://127.0.0.1:1/', overrides));
    expect(open).toThrow(TypeError);
    expect(open).toThrow(message);
    expect(open).not.toThrow(/secret/);
  });
});

describe('drops that the caller reports', () => {
  test('are counted by reason and logged once a minute each', () => {
    const clock = createManualClock();
    const { deliveries, lines } = createRig('http://127.0.0.1:1/', { clock });
    for (let count = 0; count < 500; count++) deliveries.reportDrop('no_subject', 2, `route ${count}`);
    deliveries.reportDrop('unknown_tokens');
    expect(deliveries.counters().dropped).toEqual({ no_subject: 1000, unknown_tokens: 1 });
    const first = [
      { level: 'warn', msg: 'events dropped', reason: 'no_subject', detail: 'route 0', count: 2 },
      { level: 'warn', msg: 'events dropped', reason: 'unknown_tokens', count: 1 },
    ];
    expect(lines).toEqual(first);
    clock.advance(59_999);
    expect(lines).toEqual(first);
    clock.advance(1);
    const second = { level: 'warn', msg: 'events dropped', reason: 'no_subject', detail: 'route 499', count: 998 };
    expect(lines).toEqual([...first, second]);
    // A minute after the last line the next drop is logged at once again.
    clock.advance(60_000);
    deliveries.reportDrop('no_subject');
    expect(lines).toHaveLength(4);
    expect(clock.timersInMs()).toEqual([]);
  });

  test('cannot fill the memory with reasons, nor the log with details', () => {
    const { deliveries, lines } = createRig('http://127.0.0.1:1/', { clock: createManualClock() });
    for (const reason of ids(1000, 'reason')) deliveries.reportDrop(reason, 1, 'x'.repeat(10_000));
    const { dropped } = deliveries.counters();
    expect(Object.keys(dropped)).toHaveLength(65);
    expect(dropped['other']).toBe(936);
    expect(Math.max(...lines.map((line) => JSON.stringify(line).length))).toBeLessThan(500);
  });
});

test('push never throws, whatever it is given', () => {
  const { delivery, deliveries } = createRig('http://127.0.0.1:1/', { clock: createManualClock() });
  expect(() => delivery.push({} as Deliverable)).not.toThrow();
  expect(() => delivery.push(undefined as unknown as Deliverable)).not.toThrow();
  expect(deliveries.counters()).toMatchObject({ taken: 2, waiting: 0, dropped: { internal_error: 2 } });
});

test('a log that cannot be written stops no delivery', async () => {
  const server = await serve((_request, index) => ({ status: index === 0 ? 500 : 202 }));
  const sink = () => {
    throw new Error('EPIPE');
  };
  const deliveries = createDeliveries({ clock: systemClock, random: () => 0, sink });
  deliveries.reportDrop('no_subject');
  pushAll(deliveries.open(settingsFor(server.url, { queue: { maxBatchSize: 1, failureThreshold: 1 } })), ['e']);
  await until(() => expect(server.requests).toHaveLength(1));
  await deliveries.stop(1000);
  expect(server.accepted).toEqual(['e']);
});

test('no log line has a token or a payload, whatever goes wrong', async () => {
  const clock = createManualClock();
  const payload = 'payload-of-a-customer';
  const echo = JSON.stringify({
    detail: `${'.'.repeat(190)}${TOKEN} is not known`,
    invalid_parameters: [{ field: TOKEN, rule: TOKEN, reason: `Bearer ${TOKEN}` }],
    request: payload,
  });
  const statuses = [401, 403, 500, 400, 429, 302, 404];
  const server = await serve((_request, index) => {
    const status = statuses[index % statuses.length] ?? 500;
    return index % 9 === 8
      ? { status, close: 'within headers' }
      : { status, headers: { location: `/${TOKEN}` }, body: echo };
  });
  const { url } = server;
  const queue = {
    maxBatchSize: 1,
    maxEntries: 30,
    failureThreshold: 4,
    maxRetryTimeMs: 70_000,
    initialRetryDelayMs: 1000,
  };
  const rig = createRig(`${url.replace('//', `//user:${TOKEN}@`)}?key=${TOKEN}`, { clock, queue });
  for (const id of ids(60)) rig.delivery.push(event(id, payload));
  await until(() => {
    clock.advance(500);
    const { dropped } = rig.deliveries.counters();
    expect(Object.keys(dropped)).toEqual(expect.arrayContaining(['queue_full', 'rejected']));
    expect(rig.lines.length).toBeGreaterThan(20);
  });
  const stopped = rig.deliveries.stop(100);
  clock.advance(100);
  await stopped;
  const messages = new Set(rig.lines.map((line) => line.msg));
  expect([...messages]).toEqual(
    expect.arrayContaining([
      'events dropped',
      'delivery failed, trying again',
      'the endpoint refused the API token',
      'the queue is 80 % full',
      'the breaker opened: the endpoint keeps failing',
      'delivery stopped',
    ]),
  );
  const text = JSON.stringify(rig.lines);
  // Not even the first half of it, where a text is cut.
  for (const secret of [TOKEN.slice(0, 6), payload]) expect(text).not.toContain(secret);
});
