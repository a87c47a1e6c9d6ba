import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEventExpiry } from '../../../../backend/event-expiry.ts';
import { type EntitlementsUnderTest, startEntitlements } from '../../../support/customers/entitlements.ts';

/** Old events are removed, but not those that the balance of an entitlement is counted from one by one. */

const START = '2026-01-01T00:07:00Z';
let t: EntitlementsUnderTest;
beforeAll(async () => {
  t = await startEntitlements(START);
});
afterAll(() => t.backend.close());

async function removeAllOlderThanADay(): Promise<number> {
  const { usage, usageNeededFromMs, clock } = t.backend;
  await expect.poll(async () => (await usage.upkeep()).unfoldedEvents).toBe(0);
  const expire = createEventExpiry({ usage, usageNeededFromMs, clock, days: 1 });
  for (let removed = 0; ; ) {
    const step = await expire();
    removed += step.removed;
    if (step.state === 'done') return removed;
  }
}

async function entitled(more: object) {
  const customer = await t.newCustomer();
  const body = { type: 'metered', feature: { id: t.calls.id }, issue: { amount: '10' }, ...more };
  const { json } = await t.post(`/customers/${customer.id}/entitlements`, body);
  const path = `/customers/${customer.id}/entitlements/${json.id}`;
  return { customer, path, balance: async () => (await t.get(`${path}/value?expand=value`)).json.value.balance };
}

it('keeps what the current usage period is counted from, and lets go of it when the period is over', async () => {
  const { customer, balance, path } = await entitled({ usage_period: { interval: 'P1M', anchor: START } });
  await t.use('call', customer.key, '2026-01-01T00:06:59Z', 5);
  await t.use('call', customer.key, '2026-01-01T00:08:00Z', 3);
  t.backend.clock.set('2026-01-25T00:00:30Z');
  await t.use('call', customer.key, '2026-01-25T00:00:00Z', 1);
  expect(await t.backend.usageNeededFromMs()).toBe(Date.parse('2026-01-01T00:00:00Z'));
  expect(await removeAllOlderThanADay()).toBe(0);
  expect(await balance()).toBe('6');
  t.backend.clock.set('2026-02-10T00:00:30Z');
  await t.use('call', customer.key, '2026-02-10T00:00:00Z', 1);
  expect(await removeAllOlderThanADay()).toBe(9);
  expect(await balance()).toBe('9');
  await t.backend.request('DELETE', path);
});

it('keeps what a grant that rolls over is counted from', async () => {
  t.backend.clock.set('2026-03-01T00:00:00Z');
  const { customer, path, balance } = await entitled({
    usage_period: { interval: 'P1M', anchor: '2026-03-01T00:00:00Z' },
    issue: undefined,
  });
  t.backend.clock.set('2026-03-10T10:05:00Z');
  const grant = { amount: '10', priority: 1, effective_at: '2026-03-10T10:05:00Z', max_rollover_amount: '100' };
  await t.post(`${path}/grants`, grant);
  await t.use('call', customer.key, '2026-03-10T10:04:00Z', 2);
  await t.use('call', customer.key, '2026-03-10T10:06:00Z', 3);
  t.backend.clock.set('2026-04-10T00:00:30Z');
  await t.use('call', customer.key, '2026-04-10T00:00:00Z', 1);
  await removeAllOlderThanADay();
  // What was used before the grant is paid by it, too.
  expect(await balance()).toBe('4');
  await t.backend.request('DELETE', path);
});

it('keeps what a customer on a test clock lives by', async () => {
  t.backend.clock.set('2026-05-10T00:00:00Z');
  const customer = await t.newCustomer();
  const clock = `/customers/${customer.id}/test-clock`;
  const put = await t.backend.request('PUT', clock, { body: { now: '2026-05-01T00:20:30Z' } });
  expect(put.status).toBeLessThan(300);
  const period = { interval: 'P1M', anchor: '2026-05-01T00:00:00Z' };
  const body = { type: 'metered', feature: { id: t.calls.id }, issue: { amount: '10' }, usage_period: period };
  const { json } = await t.post(`/customers/${customer.id}/entitlements`, body);
  await t.use('call', customer.key, '2026-05-01T00:20:10Z', 3);
  await t.use('call', customer.key, '2026-05-10T00:00:00Z', 1);
  t.backend.clock.set('2026-05-20T00:00:00Z');
  await t.use('call', customer.key, '2026-05-20T00:00:00Z', 1);
  await removeAllOlderThanADay();
  const value = await t.get(`/customers/${customer.id}/entitlements/${json.id}/value?expand=value`);
  expect(value.json.value.balance).toBe('7');
});
