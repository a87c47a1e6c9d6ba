import { describe, expect, test } from 'vitest';
import {
  netAmount,
  type PricingTerms,
  type RatedLine,
  rate,
  type SplitPosition,
  sumTotals,
  type UnitConfig,
} from '../../backend/catalog/rating/index.ts';
import { customCurrency } from '../../backend/platform/currencies.ts';
import { Decimal, formatDecimal } from '../../backend/platform/decimal.ts';
import { fc } from '../support/property.ts';
import { type CardOptions, cards, decimals } from './rating-cards.ts';
import { exactUnits } from './rating-exact.ts';

/**
 * Whatever a period is billed in, and whatever its meter does meanwhile, its parts come to what the whole costs: to the
 * last unit of the currency, for every model that can be split, with minimum, maximum, discounts and conversions, and
 * where the period ends and goes on again.
 */
const runs = (all: number): number => (process.env['LONG'] === '1' ? all : Math.ceil(all / 4));

const conversion = (roundings: readonly UnitConfig['rounding'][]): fc.Arbitrary<UnitConfig | undefined> =>
  fc.option(
    fc.record({
      operation: fc.constantFrom('divide' as const, 'multiply' as const),
      conversion_factor: fc.constantFrom('3', '60', '0.7', '1000', '1.5'),
      rounding: fc.constantFrom(...roundings),
      precision: fc.constantFrom(0, 1),
    }),
    { nil: undefined },
  );
const CARDS: CardOptions = {
  models: ['unit', 'graduated'],
  priceDigits: 3,
  quantityDigits: 1,
  percentageDigits: 1,
  unitConfig: conversion(['none']),
};
const digits = fc.constantFrom(0, 2, 3);
/** Half units of quantity and price make many amounts that end in exactly half of the smallest unit. */
const value = decimals(120, 1);

interface Part {
  value: string;
  /** The period ends with this part; where it is not the last one, the end is taken back afterwards. */
  ends: boolean;
}

const parts: fc.Arbitrary<Part[]> = fc
  .array(fc.record({ value, ends: fc.boolean() }), { minLength: 1, maxLength: 6 })
  .map((list) => [...list.slice(0, -1), { value: list.at(-1)?.value ?? '0', ends: true }]);

/** Bills as invoices do: each part knows what earlier ones counted and billed, and counts what the meter has more. */
function billInParts(terms: PricingTerms, list: readonly Part[], currency: { code: string; digits: number }) {
  const rated: RatedLine[] = [];
  let [counted, billed, minimum] = [new Decimal(0), new Decimal(0), new Decimal(0)];
  for (const [index, part] of list.entries()) {
    const quantity = Decimal.max(new Decimal(part.value).sub(counted), 0);
    const previousQuantity = formatDecimal(counted);
    const [previouslyBilledAmount, previousMinimumAmount] = [formatDecimal(billed), formatDecimal(minimum)];
    const split = {
      position: positionOf(index, part.ends),
      previousQuantity,
      previouslyBilledAmount,
      previousMinimumAmount,
    };
    const line = rate({ name: 'api', currency, terms, quantity: formatDecimal(quantity), split });
    rated.push(line);
    counted = counted.add(quantity);
    billed = billed.add(netAmount(line.totals));
    minimum = minimum.add(line.totals.chargesTotal);
  }
  return { rated, counted: formatDecimal(counted) };
}

function positionOf(index: number, ends: boolean): SplitPosition {
  if (index === 0) return ends ? 'single' : 'first';
  return ends ? 'last' : 'mid';
}

const toUnits = (amount: string, { digits: places }: { digits: number }) =>
  new Decimal(amount).mul(new Decimal(10).pow(places)).toFixed();

describe('a period', () => {
  test('in one piece is rated as fractions of integers rate it, volume prices, conversions and falling meters included', () => {
    const any: CardOptions = {
      ...CARDS,
      models: [...CARDS.models, 'volume'],
      unitConfig: conversion(['none', 'ceiling', 'floor', 'half_up']),
    };
    const quantity = fc.tuple(value, fc.boolean()).map(([text, isNegative]) => (isNegative ? `-${text}` : text));
    fc.assert(
      fc.property(cards(any), quantity, digits, (terms, metered, places) => {
        const currency = customCurrency('UNIT', places);
        const { total } = rate({ name: 'api', currency, terms, quantity: metered }).totals;
        expect(toUnits(total, currency)).toBe(exactUnits(terms, metered, places).toString());
      }),
      { numRuns: runs(4000) },
    );
  });

  test('in parts comes to what the whole costs, whenever it has ended', () => {
    fc.assert(
      fc.property(cards(CARDS), parts, digits, (terms, list, places) => {
        const currency = customCurrency('UNIT', places);
        for (const [index, { ends }] of list.entries()) {
          if (!ends) continue;
          const { rated, counted } = billInParts(terms, list.slice(0, index + 1), currency);
          const { total } = sumTotals(
            rated.map((line) => line.totals),
            currency,
          );
          expect(toUnits(total, currency)).toBe(exactUnits(terms, counted, places).toString());
        }
      }),
      { numRuns: runs(4000) },
    );
  });

  test('in parts never bills less than nothing with one of them, and tells how each amount came about', () => {
    fc.assert(
      fc.property(cards(CARDS), parts, digits, (terms, list, places) => {
        for (const line of billInParts(terms, list, customCurrency('UNIT', places)).rated) {
          expect(new Decimal(line.totals.total).lt(0)).toBe(false);
          for (const detail of line.detailedLines) {
            expect(detail.explanation.at(-1)?.result).toBe(detail.totals.total);
            expect(new Decimal(detail.totals.discountsTotal).lt(0)).toBe(false);
          }
        }
      }),
      { numRuns: runs(2000) },
    );
  });
});

test.each([
  { digits: 0, price: '0.5', total: '6' },
  { digits: 0, price: '0.4', total: '5' },
  { digits: 2, price: '0.005', total: '0.06' },
])('one unit in each of twelve parts, at $price: $total', ({ digits: places, price, total }) => {
  const currency = customCurrency('UNIT', places);
  const list = Array.from({ length: 12 }, (_, index) => ({ value: String(index + 1), ends: index === 11 }));
  const { rated } = billInParts({ price: { type: 'unit', amount: price } }, list, currency);
  const totals = rated.map((line) => line.totals);
  expect(sumTotals(totals, currency).total).toBe(total);
});
