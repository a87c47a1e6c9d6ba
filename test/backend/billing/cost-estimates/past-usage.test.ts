import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Json, UNKNOWN_ID } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';
import { card, estimate, flat, pastUsage, refused, unit } from '../../../support/billing/cost-estimates.ts';

let backend: TestBackend;
let customerId: string;
let large: { id: string; key: string };

beforeAll(async () => {
  backend = await createTestBackend();
  const made = await pastUsage(backend);
  customerId = made.customerId;
  const meter = { id: made.meterId, filters: { model: { eq: 'large' } } };
  const answer = await backend.request('POST', '/features', { body: { key: 'large', name: 'Large', meter } });
  large = { id: answer.json.id, key: 'large' };
});
afterAll(() => backend.close());

const usage = (from: string, to: string, fields: Record<string, unknown> = {}) => ({
  customer: { id: customerId },
  from,
  to,
  ...fields,
});
const onLarge = (price: unknown, fields: Record<string, unknown> = {}) =>
  card(price, { feature: { id: large.id }, billing_cadence: 'P1M', ...fields });
const ask = (rate_card: unknown, from: string, to: string) =>
  estimate(backend, { rate_card, currency: 'USD', usage: usage(from, to) });
const perPeriod = ({ lines }: Json) =>
  lines.map(({ service_period, usage_quantity_detail, totals }: Json) => [
    `${service_period.from.slice(0, 10)}/${service_period.to.slice(0, 10)}`,
    usage_quantity_detail.raw_quantity,
    totals.total,
  ]);

test('each billing period is a line: its own free units, tiers and minimum; only the feature’s usage of the customer', async () => {
  const terms = { discounts: { usage: '1000' }, commitments: { minimum_amount: '3' } };
  const result = await ask(onLarge(unit('0.01'), terms), '2026-01-01T00:00:00Z', '2026-04-01T00:00:00Z');
  expect(perPeriod(result)).toEqual([
    ['2026-01-01/2026-02-01', '1500', '5'],
    ['2026-02-01/2026-03-01', '2500', '15'],
    ['2026-03-01/2026-04-01', '100', '3'],
  ]);
  expect(result.totals).toMatchObject([{ currency: 'USD', amount: '20', charges_total: '3', total: '23' }]);
  expect(result.lines[0].feature).toEqual(large);
});

test('it is what the meter tells for the feature’s filters', async () => {
  const result = await ask(onLarge(unit('1')), '2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z');
  expect(perPeriod(result)).toEqual([['2026-01-01/2026-02-01', '1500', '1500']]);
});

test('a month-end start keeps its day, as subscriptions do', async () => {
  const result = await ask(onLarge(unit('1')), '2026-01-31T00:00:00Z', '2026-03-31T00:00:00Z');
  expect(perPeriod(result).map(([period]: Json) => period)).toEqual(['2026-01-31/2026-02-28', '2026-02-28/2026-03-31']);
});

test('a fee is charged for each period, in parts for a part, once when it has no cadence', async () => {
  const fee = await ask(card(flat('31'), { billing_cadence: 'P1M' }), '2026-01-01T00:00:00Z', '2026-02-15T00:00:00Z');
  expect(perPeriod(fee)).toEqual([
    ['2026-01-01/2026-02-01', '0', '31'],
    ['2026-02-01/2026-02-15', '0', '15.5'],
  ]);
  expect(fee.lines[1].detailed_lines[0].explanation[0]).toMatchObject({ rule: 'proration', result: '15.5' });
  expect(fee.totals[0].total).toBe('46.5');
  const once = await ask(card(flat('31')), '2026-01-01T00:00:00Z', '2026-02-15T00:00:00Z');
  expect(perPeriod(once)).toEqual([['2026-01-01/2026-02-15', '0', '31']]);
});

test('a part of a fee that rounds to nothing is no line, and says why', async () => {
  const tiny = await ask(
    card(flat('0.01'), { billing_cadence: 'P1Y' }),
    '2026-01-01T00:00:00Z',
    '2026-01-02T00:00:00Z',
  );
  expect(tiny.lines[0].detailed_lines).toEqual([]);
  expect(tiny.lines[0].explanation.map(({ rule }: Json) => rule)).toEqual(['proration', 'no_line']);
});

test('an archived feature and a deleted customer can still be asked for', async () => {
  const feature = await backend.request('POST', '/features', {
    body: { key: 'old', name: 'Old', meter: { id: (await backend.request('GET', '/meters')).json.data[0].id } },
  });
  await backend.request('DELETE', `/features/${feature.json.id}`);
  const old = card(unit('1'), { feature: { id: feature.json.id }, billing_cadence: 'P1M' });
  const result = await ask(old, '2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z');
  expect(result.totals[0].total).toBe('5500');
});

describe('400 names the field', () => {
  const from = '2026-01-01T00:00:00Z';
  const to = '2026-02-01T00:00:00Z';
  const request = (fields: Record<string, unknown>) =>
    backend.request('POST', '/cost-estimates', {
      body: { rate_card: onLarge(unit('1')), currency: 'USD', usage: usage(from, to), ...fields },
    });
  test.each([
    ['an unknown customer', () => ({ usage: usage(from, to, { customer: { id: UNKNOWN_ID } }) }), 'usage.customer.id'],
    ['no customer', () => ({ usage: { from, to } }), 'usage.customer'],
    ['no date', () => ({ usage: usage('2026-01-01', to) }), 'usage.from'],
    ['an end before the start', () => ({ usage: usage(to, from) }), 'usage.to'],
    ['an empty period', () => ({ usage: usage(from, from) }), 'usage.to'],
    ['a quantity beside usage', () => ({ quantity: '1' }), 'quantity'],
    ['no feature', () => ({ rate_card: card(unit('1')) }), 'rate_card.feature'],
    ['no length', () => ({ rate_card: onLarge(unit('1'), { billing_cadence: 'PT0S' }) }), 'rate_card.billing_cadence'],
    ['thousands of periods', () => ({ rate_card: onLarge(unit('1'), { billing_cadence: 'PT1H' }) }), 'usage.to'],
  ])('%s', async (_name, fields, expected) => {
    expect(refused(await request(fields()))).toEqual([400, [expected]]);
  });

  test('a feature without a meter', async () => {
    const answer = await backend.request('POST', '/features', { body: { key: 'sso', name: 'SSO' } });
    const rate_card = card(unit('1'), { feature: { id: answer.json.id }, billing_cadence: 'P1M' });
    expect(refused(await request({ rate_card }))).toEqual([400, ['rate_card.feature']]);
  });
});
