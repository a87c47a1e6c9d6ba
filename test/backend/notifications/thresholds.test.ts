import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeOf, send } from '../../support/answers.ts';
import type { TestBackend } from '../../support/backend.ts';
import { type EntitlementsUnderTest, startEntitlements } from '../../support/customers/entitlements.ts';

let e: EntitlementsUnderTest;
let t: TestBackend;
let channelId: string;
beforeAll(async () => {
  e = await startEntitlements('2026-03-10T10:00:00Z');
  t = e.backend;
  // Nothing is sent here: what is told is looked at in the outbox.
  const channel = { type: 'webhook', name: 'none', url: 'https://example.com' };
  channelId = (await send(t, 'POST', '/notification/channels', channel, 201)).id;
});
afterAll(() => t.close());

const rule = (type: string, fields: Record<string, unknown>) =>
  send(t, 'POST', '/notification/rules', { type, name: type, channels: [{ id: channelId }], ...fields }, 201);
const percent = (...values: number[]) => values.map((value) => ({ type: 'usage_percentage', value }));
/** What a rule has told, the oldest first: each as "type value". */
async function told({ id }: { id: string }): Promise<string[]> {
  const asked = `/notification/events?filter[rule_id]=${id}&sort=id asc&page[size]=100`;
  const { data } = await send(t, 'GET', asked, undefined, 200);
  return data.map(({ payload }: { payload: { data: { threshold?: { type: string; value: number } } } }) => {
    const { threshold } = payload.data;
    return threshold === undefined ? 'reset' : `${threshold.type} ${threshold.value}`;
  });
}
const metered = (featureId: string, fields: Record<string, unknown> = {}) => ({
  type: 'metered',
  feature: { id: featureId },
  usage_period: { interval: 'P1M' },
  issue: { amount: '1000' },
  ...fields,
});

test('inclusive, once, again after a grant, a reset and a correction', async () => {
  const customer = await e.newCustomer();
  const { calls } = e;
  const { json: entitlement } = await e.post(`/customers/${customer.id}/entitlements`, metered(calls.id));
  const watched = await rule('entitlements.balance.threshold', {
    features: [{ id: calls.id }],
    thresholds: [...percent(100, 80), { type: 'balance_value', value: 0 }],
  });
  const resets = await rule('entitlements.reset', { features: [{ id: calls.id }] });
  const use = async (count: number) => {
    t.clock.advanceMs(60_000);
    await e.use('call', customer.key, new Date(t.clock.nowMs() - 60_000).toISOString(), count);
    await t.notifications.thresholds.evaluateDue();
    return told(watched);
  };
  expect(await use(799)).toEqual([]);
  expect(await use(1)).toEqual(['usage_percentage 80']);
  expect(await use(100)).toEqual(['usage_percentage 80']);
  // All that are crossed at once, the furthest last.
  const first = ['usage_percentage 80', 'usage_percentage 100', 'balance_value 0'];
  expect((await use(100)).toSorted()).toEqual(first.toSorted());
  expect(await use(5)).toHaveLength(3);

  // A grant: half of it is used, so both are armed again.
  await e.post(`/customers/${customer.id}/entitlements/${entitlement.id}/grants`, {
    amount: '1000',
    effective_at: new Date(t.clock.nowMs()).toISOString(),
  });
  t.clock.advanceMs(60_000);
  await t.notifications.thresholds.evaluateAll();
  expect((await use(595)).slice(3)).toEqual(['usage_percentage 80']);

  // Usage begins anew.
  t.clock.advanceMs(120_000);
  await e.post(`/customers/${customer.id}/entitlements/${entitlement.id}/reset`, {}, 204);
  await t.notifications.thresholds.evaluateAll();
  expect(await told(resets)).toEqual(['reset']);
  const { data } = await send(t, 'GET', `/notification/events?filter[rule_id]=${resets.id}`, undefined, 200);
  expect(data[0].payload).toMatchObject({
    subject: customer.key,
    data: { customer: { id: customer.id }, feature: { key: calls.key }, value: { usage: '0', has_access: true } },
  });
  t.clock.advanceMs(60_000);
  const before = (await told(watched)).length;
  // What was left of the grant, 400, is there still: 1400 in all.
  await use(1400);
  expect((await told(watched)).slice(before).toSorted()).toEqual(first.toSorted());

  // The same again tells nothing more, whoever looks.
  const count = (await told(watched)).length;
  await Promise.all([t.notifications.thresholds.evaluateAll(), t.notifications.thresholds.evaluateAll()]);
  expect(await told(watched)).toHaveLength(count);
});

test('a correction arms again; other features and rules that are switched off are left alone', async () => {
  const customer = await e.newCustomer();
  const { tokens, calls } = e;
  await e.post(`/customers/${customer.id}/entitlements`, metered(tokens.id, { issue: { amount: '100' } }));
  const watched = await rule('entitlements.balance.threshold', {
    features: [{ id: tokens.id }],
    thresholds: [{ type: 'usage_value', value: 50.5 }],
  });
  const other = await rule('entitlements.balance.threshold', { features: [{ id: calls.id }], thresholds: percent(1) });
  const off = await rule('entitlements.balance.threshold', { disabled: true, thresholds: percent(1) });
  const use = async (amount: string) => {
    t.clock.advanceMs(60_000);
    await e.use('prompt', customer.key, new Date(t.clock.nowMs() - 60_000).toISOString(), 1, amount);
    await t.notifications.thresholds.evaluateDue();
    return told(watched);
  };
  expect(await use('50.4')).toEqual([]);
  expect(await use('0.1')).toEqual(['usage_value 50.5']);
  const { data } = await send(t, 'GET', `/events?filter[subject]=${customer.key}`, undefined, 200);
  const { id, source } = data[0].event;
  const filter = { subject: { eq: customer.key }, id: { eq: id }, source: { eq: source } };
  const voided = await t.request('POST', '/events/corrections', { body: { action: 'void', reason: 'wrong', filter } });
  expect(voided.status, voided.text).toBeLessThan(300);
  await t.notifications.thresholds.evaluateAll();
  expect(await use('0.2')).toEqual(['usage_value 50.5', 'usage_value 50.5']);
  expect(await told(off)).toEqual([]);
  const ofOther = await send(t, 'GET', `/notification/events?filter[rule_id]=${other.id}`, undefined, 200);
  expect(ofOther.data.map(({ payload }: { payload: { subject: string } }) => payload.subject)).not.toContain(
    customer.key,
  );

  // A rule that is made when it is crossed already tells so; another threshold is another one.
  const late = await rule('entitlements.balance.threshold', { features: [{ id: tokens.id }], thresholds: percent(10) });
  await t.notifications.thresholds.evaluateAll();
  expect(await told(late)).toEqual(['usage_percentage 10']);
  const changed = { type: late.type, name: late.name, channels: late.channels, features: late.features };
  await send(t, 'PUT', `/notification/rules/${late.id}`, { ...changed, thresholds: percent(20) }, 200);
  await t.notifications.thresholds.evaluateAll();
  expect(await told(late)).toEqual(['usage_percentage 10', 'usage_percentage 20']);
});

test.each([
  ['no threshold', { thresholds: [] }, 'thresholds'],
  ['a negative one', { thresholds: [{ type: 'balance_value', value: -1 }] }, 'thresholds.0.value'],
  ['usage of nothing', { thresholds: percent(0) }, 'thresholds.0.value'],
  ['one twice', { thresholds: percent(5, 5) }, 'thresholds'],
  ['a kind that is none', { thresholds: [{ type: 'PERCENT', value: 5 }] }, 'thresholds.0.type'],
])('400: %s', async (_, fields, field) => {
  const body = { type: 'entitlements.balance.threshold', name: 'n', channels: [{ id: channelId }], ...fields };
  const { status, json } = await t.request('POST', '/notification/rules', { body });
  expect({ status, field: json.invalid_parameters[0].field }).toEqual({ status: 400, field });
});

test('a feature has to be there; values are numbers, digit by digit', async () => {
  const unknown = { features: [{ id: '01HZZZZZZZZZZZZZZZZZZZZZZZ' }], thresholds: percent(5) };
  const body = { type: 'entitlements.balance.threshold', name: 'n', channels: [{ id: channelId }], ...unknown };
  expect(codeOf((await t.request('POST', '/notification/rules', { body })).json)).toBe(
    'notification_feature_not_found',
  );
  const rawBody = JSON.stringify({ ...body, features: undefined, disabled: true }).replace(
    ':5}',
    ':12345678901234567890.5}',
  );
  const made = await t.request('POST', '/notification/rules', {
    rawBody,
    headers: { 'Content-Type': 'application/json' },
  });
  expect(made.text).toContain('"value":12345678901234567890.5');
});
