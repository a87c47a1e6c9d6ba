import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Json } from '../../../support/answers.ts';
import { feeCard, phase, usageCard } from '../../../support/catalog/plans.ts';
import { openShop, type Shop, spans } from '../../../support/customers/shop.ts';

const NOW = '2026-01-10T00:00:00Z';
const LATER = '2026-01-20T00:00:00Z';
let shop: Shop;
let phased: Json;
let subscription: Json;
beforeAll(async () => {
  shop = await openShop(NOW);
  const plain = (key: string, amount: string) => feeCard({ key, name: key, price: { type: 'flat', amount } });
  phased = await shop.plan('phased', {
    phases: [
      phase([plain('past', '1')], { key: 'past', name: 'Past', duration: 'P5D' }),
      phase([plain('fee', '10'), usageCard(shop.catalog)], { key: 'now', name: 'Now', duration: 'P2M' }),
      phase([plain('fee', '20')], { key: 'soon', name: 'Soon', duration: 'P1M' }),
      phase([plain('fee', '30')], { key: 'last', name: 'Last' }),
    ],
  });
});
afterAll(() => shop.close());
beforeEach(async () => {
  shop.backend.clock.set(NOW);
  subscription = await shop.subscribe(await shop.customer(), phased);
  shop.backend.clock.set(LATER);
});

const edit = (customizations: Json[], timing?: string) =>
  shop.ok('POST', `/subscriptions/${subscription.id}/edit`, { customizations, ...(timing && { timing }) });
const refused = async (customizations: Json[], timing?: string) => {
  const body = { customizations, ...(timing && { timing }) };
  const { status, json } = await shop.refused('POST', `/subscriptions/${subscription.id}/edit`, body);
  expect(await shop.ok('GET', `/subscriptions/${subscription.id}`)).toMatchObject({ updated_at: NOW });
  return [status, json.extensions?.validationErrors?.[0]?.code ?? json.detail];
};
const items = (of: Json, key: string) =>
  of.phases
    .find((own: Json) => own.key === key)
    .items.map((item: Json) => [item.rate_card.key, item.rate_card.price.amount, item.active_from, item.active_to]);
const fee = (amount: string, fields: Json = {}) => feeCard({ key: 'fee', price: { type: 'flat', amount }, ...fields });

describe('items', () => {
  test('another price from now on: the item in force ends, and its lines keep their names', async () => {
    const edited = await edit([{ type: 'add_item', phase_key: 'now', rate_card: fee('12') }]);
    expect(items(edited, 'now')).toEqual([
      ['fee', '10', '2026-01-15T00:00:00Z', LATER],
      ['fee', '12', LATER, '2026-03-15T00:00:00Z'],
      ['requests', '0.01', '2026-01-15T00:00:00Z', '2026-03-15T00:00:00Z'],
    ]);
    expect(edited.phases[1].items[0].id).toBe(subscription.phases[1].items[0].id);
  });

  test('with the next billing cycle; taken back before it comes', async () => {
    const edited = await edit([{ type: 'add_item', phase_key: 'now', rate_card: fee('12') }], 'next_billing_cycle');
    expect(items(edited, 'now').slice(0, 2)).toEqual([
      ['fee', '10', '2026-01-15T00:00:00Z', '2026-02-10T00:00:00Z'],
      ['fee', '12', '2026-02-10T00:00:00Z', '2026-03-15T00:00:00Z'],
    ]);
    const again = await edit([{ type: 'unschedule_edit' }]);
    expect(items(again, 'now')).toEqual(items(subscription, 'now'));
    expect(again.phases[1].items[0].id).toBe(subscription.phases[1].items[0].id);
  });

  test('removed now, and from a phase to come', async () => {
    const edited = await edit([
      { type: 'remove_item', phase_key: 'now', item_key: 'requests' },
      { type: 'remove_item', phase_key: 'soon', item_key: 'fee' },
      { type: 'add_item', phase_key: 'soon', rate_card: fee('25') },
    ]);
    expect(items(edited, 'now')[1]).toEqual(['requests', '0.01', '2026-01-15T00:00:00Z', LATER]);
    expect(items(edited, 'soon').map((item: Json) => item[1])).toEqual(['25']);
  });

  test('403: the past stays, and an item to come is not replaced silently', async () => {
    const forPhase = (phase_key: string) => [{ type: 'add_item', phase_key, rate_card: fee('1') }];
    expect(await refused(forPhase('past'))).toEqual([403, 'phase past is over: its items cannot be changed']);
    expect((await refused(forPhase('soon')))[0]).toBe(403);
    expect((await refused([{ type: 'remove_item', phase_key: 'past', item_key: 'past' }]))[0]).toBe(403);
  });

  test('400: what is not there, what is not right, and a phase left without items', async () => {
    expect(await refused([{ type: 'remove_item', phase_key: 'now', item_key: 'nope' }])).toEqual([
      400,
      'item_not_found',
    ]);
    expect(await refused([{ type: 'remove_item', phase_key: 'nope', item_key: 'x' }])).toEqual([
      400,
      'phase_not_found',
    ]);
    expect(await refused([{ type: 'remove_item', phase_key: 'soon', item_key: 'fee' }])).toEqual([
      400,
      'subscription_phase_has_no_items',
    ]);
    const unaligned = fee('1', { billing_cadence: 'P1W' });
    expect(await refused([{ type: 'add_item', phase_key: 'now', rate_card: unaligned }])).toEqual([
      400,
      'rate_card_billing_cadence_unaligned',
    ]);
    const wrong = usageCard(shop.catalog, { key: 'another' });
    expect((await refused([{ type: 'add_item', phase_key: 'now', rate_card: wrong }]))[0]).toBe(400);
    expect((await refused([], 'immediate'))[0]).toBe(400);
    expect((await refused([{ type: 'unschedule_edit' }], '2026-02-10T00:00:00Z'))[0]).toBe(400);
  });

  test('400: the next billing cycle must be of the same phase', async () => {
    shop.backend.clock.set('2026-03-11T00:00:00Z');
    expect((await refused([{ type: 'unschedule_edit' }], 'next_billing_cycle'))[0]).toBe(400);
  });

  test('409: not a feature that another subscription of the customer has', async () => {
    const other = await shop.plan(`other_${subscription.id.toLowerCase().slice(-8)}`, {
      phases: [phase([feeCard({ key: 'support', name: 'Support' })])],
    });
    await shop.subscribe({ id: subscription.customer_id }, other);
    const card = feeCard({ key: 'support', name: 'Support' });
    expect(await refused([{ type: 'add_item', phase_key: 'now', rate_card: card }])).toEqual([
      409,
      'only_single_subscription_item_allowed_at_a_time',
    ]);
  });
});

describe('phases', () => {
  test('stretched: later phases shift by the calendar', async () => {
    const edited = await edit([{ type: 'stretch_phase', phase_key: 'now', extend_by: 'P1M' }]);
    expect(spans(edited.phases).map((span) => span.slice(0, 10))).toEqual([
      '2026-01-10',
      '2026-01-15',
      '2026-04-15',
      '2026-05-15',
    ]);
    const shrunk = await edit([{ type: 'stretch_phase', phase_key: 'soon', extend_by: '-P2W' }]);
    expect(shrunk.phases[3].active_from).toBe('2026-05-01T00:00:00Z');
  });

  test('removed: the phases after it come earlier, or the one before it lasts longer', async () => {
    const prev = await edit([{ type: 'remove_phase', phase_key: 'soon', shift: 'prev' }]);
    expect(spans(prev.phases).slice(1)).toEqual([
      '2026-01-15T00:00:00Z..2026-04-15T00:00:00Z',
      '2026-04-15T00:00:00Z..',
    ]);
    shop.backend.clock.set(NOW);
    subscription = await shop.subscribe(await shop.customer(), phased);
    const next = await edit([{ type: 'remove_phase', phase_key: 'soon', shift: 'next' }]);
    expect(spans(next.phases).slice(1)).toEqual([
      '2026-01-15T00:00:00Z..2026-03-15T00:00:00Z',
      '2026-03-15T00:00:00Z..',
    ]);
  });

  test('added, with its items, in one go', async () => {
    const edited = await edit([
      { type: 'add_phase', phase: { key: 'extra', name: 'Extra', start_after: 'P2M5D', duration: 'P1W' } },
      { type: 'add_item', phase_key: 'extra', rate_card: fee('5') },
    ]);
    expect(edited.phases.map(({ key }: Json) => key)).toEqual(['past', 'now', 'extra', 'soon', 'last']);
    expect(spans(edited.phases).slice(2)).toEqual([
      '2026-03-15T00:00:00Z..2026-03-22T00:00:00Z',
      '2026-03-22T00:00:00Z..2026-04-22T00:00:00Z',
      '2026-04-22T00:00:00Z..',
    ]);
  });

  test('403 and 409: what has begun, what exists, what would disappear', async () => {
    const add = (phase: Json) => [{ type: 'add_phase', phase: { name: 'x', ...phase } }];
    expect((await refused([{ type: 'remove_phase', phase_key: 'now', shift: 'next' }]))[0]).toBe(403);
    expect((await refused([{ type: 'stretch_phase', phase_key: 'past', extend_by: 'P1D' }]))[0]).toBe(403);
    expect((await refused([{ type: 'stretch_phase', phase_key: 'last', extend_by: 'P1D' }]))[0]).toBe(409);
    expect((await refused([{ type: 'stretch_phase', phase_key: 'soon', extend_by: '-P1Y' }]))[0]).toBe(409);
    expect((await refused([{ type: 'stretch_phase', phase_key: 'now', extend_by: '-P57D' }]))[0]).toBe(403);
    expect((await refused(add({ key: 'now', start_after: 'P1Y' })))[0]).toBe(409);
    expect((await refused(add({ key: 'x', start_after: 'P1D' })))[0]).toBe(403);
    expect((await refused(add({ key: 'x' })))[1]).toBe('phase_start_required');
    expect((await refused(add({ key: 'x', start_after: 'P2M' })))[1]).toBe('phase_duration_required');
  });
});
