import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Json } from '../../../support/answers.ts';
import { createFeature, createMeter } from '../../../support/catalog/features.ts';
import { feeCard, phase, usageCard } from '../../../support/catalog/plans.ts';
import { openShop, type Shop } from '../../../support/customers/shop.ts';

let shop: Shop;
let sent = 0;
beforeAll(async () => {
  shop = await openShop('2026-11-01T00:00:00Z');
});
afterAll(() => shop.close());

/** Sends an event and asks why it counts. */
async function explained(subject: string, event: Json = {}): Promise<Json> {
  const id = `event-${sent++}`;
  const time = '2026-11-20T10:00:00Z';
  const body = { specversion: '1.0', id, source: 's', type: 'requests', subject, time, ...event };
  const { status } = await shop.backend.request('POST', '/events', {
    rawBody: JSON.stringify(body),
    headers: { 'Content-Type': 'application/cloudevents+json' },
  });
  expect(status).toBe(202);
  const { data } = await shop.ok('GET', `/events/explanation?event_id=${id}`);
  return data[0];
}

test('nothing is said of subscriptions where nobody ever had one', async () => {
  const customer = await shop.customer();
  const event = await explained(customer.key);
  expect(event).toMatchObject({ counts: true, reasons: [] });
  expect(event.features).toEqual([
    { feature_id: shop.catalog.requests.id, feature_key: 'requests', meter_key: 'requests', counts: true, reasons: [] },
  ]);
});

test('which features count an event, and which filter leaves it out of the others', async () => {
  const meter = await createMeter(shop.backend, 'tokens', { aggregation: 'count' });
  const filtered = (key: string, filters: Json) =>
    createFeature(shop.backend, key, { meter: { id: meter.id, filters } });
  await filtered('big', { model: { eq: 'big' } });
  await filtered('other', { model: { neq: 'big' }, route: { in: ['a', 'b'] } });
  const customer = await shop.customer();
  const of = async (data: Json) => {
    const { features, reasons, counts } = await explained(customer.key, { type: 'tokens', data });
    expect(counts).toBe(true);
    const told = features.map((feature: Json) => [feature.feature_key, feature.counts, ...messages(feature.reasons)]);
    return { told, reasons };
  };
  expect(await of({ model: 'big' })).toEqual({
    told: [
      ['big', true],
      ['other', false, 'model is "big", which its filter leaves out', 'route is "", which its filter leaves out'],
    ],
    reasons: [],
  });
  const excluded = await of({ model: 'small', route: 'c' });
  expect(excluded.told).toEqual([
    ['big', false, 'model is "small", which its filter leaves out'],
    ['other', false, 'route is "c", which its filter leaves out'],
  ]);
  expect(excluded.reasons).toEqual([
    {
      code: 'excluded_by_feature',
      message:
        'no feature counts it: big (model is "small", which its filter leaves out), other (route is "c", which its filter leaves out)',
    },
  ]);
});

test('before, between and after the subscriptions of a customer, and without one', async () => {
  const plan = await shop.plan('metered', { phases: [phase([feeCard(), usageCard(shop.catalog)])] });
  const customer = await shop.customer();
  const first = await shop.subscribe(customer, plan);
  shop.backend.clock.set('2026-11-05T00:00:00Z');
  await shop.ok('POST', `/subscriptions/${first.id}/cancel`, { timing: 'immediate' });
  shop.backend.clock.set('2026-11-10T00:00:00Z');
  const second = await shop.subscribe(customer, plan);
  const at = async (time: string) => (await explained(customer.key, { time })).reasons;
  const before = { code: 'before_subscription', message: expect.stringContaining('at 2026-11-01T00:00:00Z') };
  expect(await at('2026-10-31T23:59:59.999Z')).toEqual([before]);
  expect(await at('2026-11-10T00:00:00Z')).toEqual([]);
  const ended = await at('2026-11-09T00:00:00Z');
  expect(ended).toEqual([{ code: 'after_subscription', message: expect.stringContaining(first.id) }]);
  expect(second.id).not.toBe(first.id);
  const stranger = await shop.customer();
  expect((await explained(stranger.key)).reasons).toEqual([
    { code: 'no_subscription', message: 'the customer has no subscription' },
  ]);
});

test('a plan without the feature, and a phase that does not have it yet', async () => {
  const fee = await shop.plan('fee_only');
  const customer = await shop.customer();
  const subscription = await shop.subscribe(customer, fee);
  expect((await explained(customer.key)).reasons).toEqual([
    { code: 'not_in_plan', message: expect.stringContaining(subscription.id) },
  ]);
  const trial = await shop.plan('trial', {
    phases: [
      phase([feeCard()], { key: 'trial', name: 'Trial', duration: 'P1M' }),
      phase([feeCard(), usageCard(shop.catalog)]),
    ],
  });
  const later = await shop.customer();
  await shop.subscribe(later, trial);
  expect(codes((await explained(later.key)).reasons)).toEqual(['not_in_plan']);
  expect((await explained(later.key, { time: '2026-12-11T00:00:00Z' })).reasons).toEqual([]);
});

test('an event that no meter counts carries no reasons of plans', async () => {
  const customer = await shop.customer();
  const event = await explained(customer.key, { type: 'unheard' });
  expect(event.features).toEqual([]);
  expect(codes(event.reasons)).toEqual(['no_meter']);
});

test('an archived feature is not told of', async () => {
  const meter = await createMeter(shop.backend, 'calls', { aggregation: 'count' });
  const feature = await createFeature(shop.backend, 'calls', {
    meter: { id: meter.id, filters: { model: { eq: 'x' } } },
  });
  await shop.ok('DELETE', `/features/${feature.id}`);
  const event = await explained((await shop.customer()).key, { type: 'calls' });
  expect(event.features).toEqual([]);
  expect(codes(event.reasons)).toEqual(['no_subscription']);
});

const codes = (reasons: readonly { code: string }[]) => reasons.map(({ code }) => code);
const messages = (reasons: readonly { message: string }[]) => reasons.map(({ message }) => message);
