import { describe, expect, test } from 'vitest';
import { quantityOfPart } from '../../../../backend/billing/invoice-records/quantities.ts';
import {
  canSplit,
  invoiceAtMs,
  netAmount,
  type Price,
  splitPosition,
  sumTotals,
} from '../../../../backend/catalog/rating/index.ts';
import { AGGREGATIONS, type Aggregation } from '../../../../backend/metering/usage-store/index.ts';
import { brief, errorOf, graduated, part, rateUsd, tier, USD, unit, volume } from '../../../support/catalog/rating.ts';

const JANUARY = { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' };

describe('what may be split', () => {
  test.each([
    ['sum', true],
    ['count', true],
    ['max', true],
    ['unique_count', true],
    ['avg', false],
    ['min', false],
    ['latest', false],
  ] as [Aggregation, boolean][])('%s: %s', (aggregation, expected) => {
    expect(canSplit({ price: unit('1') }, AGGREGATIONS[aggregation])).toBe(expected);
  });

  test.each([
    [{ type: 'free' }, false],
    [{ type: 'flat', amount: '1' }, false],
    [volume(tier(null, null, '1')), false],
    [graduated(tier(null, null, '1')), true],
  ] as [Price, boolean][])('%j: %s', (price, expected) => {
    expect(canSplit({ price }, AGGREGATIONS.sum)).toBe(expected);
  });

  test('a conversion that rounds is not split: each part would pay for the unit that they share', () => {
    const config = { operation: 'divide', conversion_factor: '1000' } as const;
    expect(canSplit({ price: unit('1'), unit_config: config }, AGGREGATIONS.sum)).toBe(true);
    expect(canSplit({ price: unit('1'), unit_config: { ...config, rounding: 'none' } }, AGGREGATIONS.sum)).toBe(true);
    expect(canSplit({ price: unit('1'), unit_config: { ...config, rounding: 'ceiling' } }, AGGREGATIONS.sum)).toBe(
      false,
    );
  });
});

describe('which part a line is', () => {
  test.each([
    ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z', 'single'],
    ['2026-01-01T01:00:00+01:00', '2026-02-01T00:00:00.000Z', 'single'],
    ['2026-01-01T00:00:00Z', '2026-01-20T00:00:00Z', 'first'],
    ['2026-01-10T00:00:00Z', '2026-01-20T00:00:00Z', 'mid'],
    ['2026-01-10T00:00:00Z', '2026-02-01T00:00:00Z', 'last'],
  ])('%s to %s: %s', (from, to, position) => {
    expect(splitPosition({ from, to }, JANUARY)).toBe(position);
  });

  test.each([
    ['2025-12-31T00:00:00Z', '2026-01-20T00:00:00Z'],
    ['2026-01-10T00:00:00Z', '2026-02-01T00:00:01Z'],
    ['2026-01-20T00:00:00Z', '2026-01-10T00:00:00Z'],
    ['yesterday', '2026-01-10T00:00:00Z'],
  ])('%s to %s is no part of it', (from, to) => {
    expect(errorOf(() => splitPosition({ from, to }, JANUARY)).code).toBe('invalid_period');
  });
});

test('quantities of a part: both values are metered from the start of the full period', () => {
  expect(quantityOfPart('0.3', '0.1')).toBe('0.2');
  // A maximum that did not rise in the second part.
  expect(quantityOfPart('7', '7')).toBe('0');
});

test('three parts with maximum, free units and percentage bill what one piece bills', () => {
  const terms = {
    price: graduated(tier('10', '5', '2'), tier(null, '20', '1')),
    commitments: { minimum_amount: '10', maximum_amount: '40' },
    discounts: { percentage: 10, usage: '5' },
  };
  const whole = rateUsd(terms, '40');
  const first = rateUsd(terms, '4', { split: part('first') });
  const second = rateUsd(terms, '20', { split: part('mid', '4', netAmount(first.totals)) });
  const billed = netAmount(sumTotals([first.totals, second.totals], USD));
  const third = rateUsd(terms, '16', { split: part('last', '24', billed) });
  expect(brief(first)).toEqual(['graduated-tiered-1-price-usage 0×2=0', 'graduated-tiered-1-flat-price 1×5=4.5']);
  expect(brief(second)).toEqual([
    'graduated-tiered-1-price-usage 10×2=18',
    'graduated-tiered-2-price-usage 9×1=8.1',
    'graduated-tiered-2-flat-price 1×20=9.4',
  ]);
  expect(brief(third)).toEqual(['graduated-tiered-2-price-usage 16×1=0']);
  expect(sumTotals([first.totals, second.totals, third.totals], USD).total).toBe(whole.totals.total);
});

test('what was paid with credits counts as billed for the commitments', () => {
  const terms = { price: unit('1'), commitments: { minimum_amount: '10', maximum_amount: '12' } };
  const first = rateUsd(terms, '8', { split: part('first'), credits: [{ amount: '8' }] });
  expect(first.totals.total).toBe('0');
  expect(netAmount(first.totals)).toBe('8');
  const last = rateUsd(terms, '1', { split: part('last', '8', netAmount(first.totals)) });
  expect(brief(last)).toEqual(['unit-price-usage 1×1=1', 'min-spend 1×1=1']);
});

describe('when a line falls due', () => {
  const flat = { type: 'flat', amount: '1' } as const;
  const day = { fromMs: Date.parse('2026-01-31T00:00:00Z'), toMs: Date.parse('2026-02-02T00:00:00Z') };
  const january = { fromMs: Date.parse(JANUARY.from), toMs: Date.parse(JANUARY.to) };

  test('a fee in advance: at the start of the billing period', () => {
    expect(invoiceAtMs({ price: flat, payment_term: 'in_advance' }, day, january)).toBe(january.fromMs);
  });

  test.each([
    [{ price: flat, payment_term: 'in_arrears' }],
    [{ price: flat }],
    [{ price: unit('1'), payment_term: 'in_advance' }],
  ] as const)('%j: when the later of service and billing period ends', (terms) => {
    expect(invoiceAtMs(terms, day, january)).toBe(day.toMs);
    expect(invoiceAtMs(terms, { ...day, toMs: Date.parse('2026-01-31T12:00:00Z') }, january)).toBe(january.toMs);
  });
});
