import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Json, UNKNOWN_ID } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';
import { card, estimate, flat, refused, unit } from '../../../support/billing/cost-estimates.ts';
import { canonical, type RateLineVector, vectorsOf } from '../../catalog/rating/vectors.ts';

let backend: TestBackend;
beforeAll(async () => {
  backend = await createTestBackend();
});
afterAll(() => backend.close());

const post = (body: unknown) => backend.request('POST', '/cost-estimates', { body });
const cost = (rate_card: unknown, quantity?: string) =>
  estimate(backend, { rate_card, currency: 'USD', ...(quantity !== undefined && { quantity }) });
const total = async (rate_card: unknown, quantity?: string) => (await cost(rate_card, quantity)).totals[0].total;
const graduated = (...tiers: [string | null, string][]) => ({
  type: 'graduated',
  tiers: tiers.map(([up_to_amount, amount]) => ({ ...(up_to_amount && { up_to_amount }), unit_price: unit(amount) })),
});

test('6,000 units cost 1,200 dollars, because …', async () => {
  const price = graduated(['1000', '0.3'], ['5000', '0.2'], [null, '0.1']);
  const { totals, lines } = await cost(card(price), '6000');
  expect(totals).toEqual([
    {
      currency: 'USD',
      amount: '1200',
      charges_total: '0',
      discounts_total: '0',
      credits_total: '0',
      taxes_total: '0',
      taxes_inclusive_total: '0',
      taxes_exclusive_total: '0',
      total: '1200',
    },
  ]);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({
    rate_card: { key: 'api', name: 'API' },
    currency: 'USD',
    usage_quantity_detail: { raw_quantity: '6000', invoiced_quantity: '6000' },
    totals: { total: '1200' },
  });
  expect(lines[0].detailed_lines.flatMap((line: Json) => line.explanation.map(({ text }: Json) => text))).toEqual([
    'Unit price of tier 1 (units up to 1000): 1000 × 0.3 USD = 300 USD.',
    'Unit price of tier 2 (units above 1000, up to 5000): 4000 × 0.2 USD = 800 USD.',
    'Unit price of tier 3 (units above 5000): 1000 × 0.1 USD = 100 USD.',
  ]);
});

test('1 dollar for each started package of 5,000 requests', async () => {
  const packages = card(unit('1'), {
    unit_config: { operation: 'divide', conversion_factor: '5000', rounding: 'ceiling', display_unit: 'packages' },
  });
  expect(await total(packages, '0')).toBe('0');
  expect(await total(packages, '1')).toBe('1');
  expect(await total(packages, '5000')).toBe('1');
  const { totals, lines } = await cost(packages, '5001');
  expect(totals[0].total).toBe('2');
  expect(lines[0].usage_quantity_detail).toEqual({
    raw_quantity: '5001',
    invoiced_quantity: '2',
    display_unit: 'packages',
  });
});

test('discounts, commitments and free units show', async () => {
  const terms = { discounts: { percentage: 10, usage: '100' }, commitments: { minimum_amount: '50' } };
  const { totals, lines } = await cost(card(unit('0.1'), terms), '300');
  expect(totals[0]).toMatchObject({ amount: '20', discounts_total: '2', charges_total: '32', total: '50' });
  expect(lines[0].free_units).toBe('100');
  expect(lines[0].detailed_lines).toMatchObject([
    { category: 'regular', quantity: '200', discounts: [{ reason: 'ratecard_percentage', amount: '2' }] },
    { category: 'commitment', totals: { total: '32' } },
  ]);
});

test('flat and free prices need no quantity; what makes no line says why', async () => {
  expect(await total(card(flat('9.99'), { billing_cadence: 'P1M' }))).toBe('9.99');
  const { totals, lines } = await cost(card({ type: 'free' }));
  expect(totals[0].total).toBe('0');
  expect(lines[0]).toMatchObject({ detailed_lines: [], explanation: [{ rule: 'no_line' }] });
});

test('quantities and prices keep all their digits', async () => {
  expect(await total(card(unit('0.000000000000000001')), '12345678901234567890123')).toBe('12345.68');
  expect(await total(card(unit('100'), { discounts: { percentage: 33.333333333333336 } }), '1000000000000')).toBe(
    '66666666666666.66',
  );
});

test('a custom currency has its own digits, a rate card may have its own currency', async () => {
  const custom = { code: 'CREDITS', name: 'Credits', precision: 4, decimal_mark: '.', thousand_separator: ',' };
  expect((await backend.request('POST', '/currencies/custom', { body: custom })).status).toBe(201);
  const body = { rate_card: card(unit('0.00005')), currency: 'CREDITS', quantity: '3' };
  expect((await estimate(backend, body)).totals).toMatchObject([{ currency: 'CREDITS', total: '0.0002' }]);
  const own = { ...body, currency: 'USD', rate_card: card(unit('1.5'), { currency: 'JPY' }) };
  expect((await estimate(backend, own)).totals).toMatchObject([{ currency: 'JPY', total: '5' }]);
});

/** The vectors that the API can ask: a whole period, without credits. */
const askable = vectorsOf('rate_line').filter(
  (vector) =>
    vector.line_position === 'single' &&
    vector.previous_quantity === '0' &&
    vector.expected_total !== undefined &&
    vector.credits_to_apply === undefined,
);

describe('says what rating says', () => {
  expect(askable.length).toBeGreaterThan(15);
  test.each(askable.map((vector) => [`${vector.name} (${vector.source})`, vector] as const))(
    '%s',
    async (_, vector) => {
      const { totals, lines } = await estimate(backend, toRequest(vector));
      expect(totals[0].total).toBe(canonical(vector.expected_total ?? ''));
      const expected = vector.expected_lines?.map(({ ref, quantity }) => [ref, canonical(quantity)]);
      const found = lines[0].detailed_lines.map((line: Json) => [line.child_unique_reference_id, line.quantity]);
      if (expected !== undefined) expect(found).toEqual(expected);
    },
  );
});

function toRequest(vector: RateLineVector) {
  const { type, amount, payment_term, tiers, minimum_amount, maximum_amount } = vector.price;
  const tier = ({ up_to, flat: fee, unit: price }: NonNullable<typeof tiers>[number]) => ({
    ...(up_to !== null && { up_to_amount: up_to }),
    ...(fee !== undefined && { flat_price: flat(fee) }),
    ...(price !== undefined && { unit_price: unit(price) }),
  });
  const { percentage_discount, usage_discount, unit_config } = vector;
  return {
    currency: vector.currency,
    quantity: vector.quantity,
    rate_card: card(
      { type, ...(amount !== undefined && { amount }), ...(tiers && { tiers: tiers.map(tier) }) },
      {
        ...(payment_term && { payment_term }),
        ...(unit_config && { unit_config }),
        commitments: { minimum_amount, maximum_amount },
        discounts: {
          ...(percentage_discount !== undefined && { percentage: Number(percentage_discount) }),
          ...(usage_discount !== undefined && { usage: usage_discount }),
        },
      },
    ),
  };
}

describe('400 names the field', () => {
  const tiers = (...list: unknown[]) => card({ type: 'graduated', tiers: list });
  test.each([
    ['no quantity for a usage price', { quantity: undefined }, ['quantity']],
    ['no rate card', { rate_card: undefined }, ['rate_card']],
    ['no currency', { currency: undefined }, ['currency']],
    ['an unknown currency', { currency: 'ABC' }, ['currency']],
    ['an unknown currency of the card', { rate_card: card(unit('1'), { currency: 'NOPE' }) }, ['rate_card.currency']],
    ['a number', { quantity: 5 }, ['quantity']],
    ['a negative quantity', { quantity: '-5' }, ['quantity']],
    ['an unknown field', { amount: '5' }, ['amount']],
    ['a package price', { rate_card: card({ type: 'package', amount: '1' }) }, ['rate_card.price.type']],
    ['a negative price', { rate_card: card(unit('-1')) }, ['rate_card.price.amount']],
    [
      'tiers that do not fit',
      { rate_card: tiers({ up_to_amount: '5', unit_price: unit('1') }, { up_to_amount: '5' }) },
      ['rate_card.price.tiers.1.up_to_amount', 'rate_card.price.tiers.1', 'rate_card.price.tiers'],
    ],
    [
      'a minimum above the maximum',
      { rate_card: card(unit('1'), { commitments: { minimum_amount: '2', maximum_amount: '1' } }) },
      ['rate_card.commitments.minimum_amount'],
    ],
    [
      'a discount above 100',
      { rate_card: card(unit('1'), { discounts: { percentage: 101 } }) },
      ['rate_card.discounts.percentage'],
    ],
    [
      'a factor of 0',
      { rate_card: card(unit('1'), { unit_config: { operation: 'divide', conversion_factor: '0' } }) },
      ['rate_card.unit_config.conversion_factor'],
    ],
    ['an unknown feature', { rate_card: card(unit('1'), { feature: { id: UNKNOWN_ID } }) }, ['rate_card.feature.id']],
  ])('%s', async (_name, fields, expected) => {
    const answer = await post({ rate_card: card(unit('1')), currency: 'USD', quantity: '1', ...fields });
    expect(refused(answer)).toEqual([400, expected]);
  });
});

test('401 without a token; viewers may ask, gateways may not', async () => {
  const body = { rate_card: card(unit('1')), currency: 'USD', quantity: '1' };
  const as = (token: string | null) => backend.request('POST', '/cost-estimates', { body, token });
  expect((await as(null)).status).toBe(401);
  expect((await as(TOKENS.ingest)).status).toBe(403);
  expect((await as(TOKENS.viewer)).status).toBe(200);
});
