import { describe, expect, test } from 'vitest';
import {
  netAmount,
  type PricingTerms,
  type RatedLine,
  rate,
  type Split,
  sumTotals,
  type UnitConfig,
} from '../../backend/catalog/rating/index.ts';
import { fiatCurrency } from '../../backend/platform/currencies.ts';
import { Decimal, formatDecimal } from '../../backend/platform/decimal.ts';
import type { Currency } from '../../backend/platform/money.ts';
import { fc } from '../support/property.ts';
import { type CardOptions, cards, decimals } from './rating-cards.ts';
import { naiveCents } from './rating-naive.ts';

/** A third of them is enough for each change; all of them run in the long form. */
const runs = (all: number): number => (process.env['LONG'] === '1' ? all : Math.ceil(all / 3));

const USD: Currency = fiatCurrency('USD') ?? { code: 'missing', digits: 0 };
const NUMERIC = /^-?[0-9]+(\.[0-9]+)?$/;

const rateUsd = (terms: PricingTerms, quantity: string, split?: Split) =>
  rate({ name: 'api', currency: USD, terms, quantity, split });

const conversions: fc.Arbitrary<UnitConfig | undefined> = fc.option(
  fc.record({
    operation: fc.constantFrom('divide' as const, 'multiply' as const),
    conversion_factor: fc.constantFrom('3', '0.7', '1000', '1', '1.5', '0.001'),
    rounding: fc.constantFrom(undefined, 'none' as const, 'ceiling' as const, 'floor' as const, 'half_up' as const),
    precision: fc.constantFrom(undefined, 0, 1, 2),
  }),
  { nil: undefined },
);
const anyCard: CardOptions = {
  models: ['unit', 'graduated', 'volume'],
  priceDigits: 5,
  quantityDigits: 3,
  percentageDigits: 2,
  unitConfig: conversions,
};
const anyQuantity = decimals(80, 4);

describe('one piece', () => {
  test('is rated as a naive count of tenths of units rates it', () => {
    const naiveCards = cards({
      ...anyCard,
      quantityDigits: 1,
      percentageDigits: 0,
      unitConfig: fc.constant(undefined),
    });
    fc.assert(
      fc.property(naiveCards, decimals(80, 1), (terms, quantity) => {
        const { total } = rateUsd(terms, quantity).totals;
        expect(new Decimal(total).mul(100).toFixed()).toBe(naiveCents(terms, quantity).toString());
      }),
      { numRuns: runs(5000) },
    );
  });

  test('never costs less for more, except under volume prices', () => {
    const models = ['unit', 'graduated'] as const;
    fc.assert(
      fc.property(cards({ ...anyCard, models }), anyQuantity, anyQuantity, (terms, a, b) => {
        const [less, more] = new Decimal(a).lte(b) ? [a, b] : [b, a];
        const totalOfLess = new Decimal(rateUsd(terms, less).totals.total);
        expect(totalOfLess.lte(rateUsd(terms, more).totals.total)).toBe(true);
      }),
      { numRuns: runs(5000) },
    );
  });

  test('is the sum of its lines; every number is plain decimal text; money has the digits of the currency', () => {
    fc.assert(
      fc.property(cards(anyCard), anyQuantity, (terms, quantity) => {
        const rated = rateUsd(terms, quantity);
        const totals = rated.detailedLines.map((line) => line.totals);
        expect(rated.totals).toEqual(sumTotals(totals, USD));
        for (const each of [...totals, rated.totals]) expectConsistent(each);
        for (const line of rated.detailedLines) {
          expect(line.quantity).toMatch(NUMERIC);
          expect(line.unitPrice).toMatch(NUMERIC);
          expect(line.explanation.at(-1)?.result).toBe(line.totals.total);
          for (const discount of line.discounts) expect(new Decimal(discount.amount).gt(0)).toBe(true);
        }
        expect(new Set(rated.detailedLines.map((line) => line.childUniqueReferenceId)).size).toBe(totals.length);
      }),
      { numRuns: runs(3000) },
    );
  });

  test('keeps the maximum and the minimum, whatever was billed before', () => {
    fc.assert(
      fc.property(cards(anyCard), anyQuantity, decimals(500, 2), (terms, quantity, billedBefore) => {
        const split = { position: 'last', previousQuantity: '0', previouslyBilledAmount: billedBefore } as const;
        const billed = new Decimal(billedBefore).add(rateUsd(terms, quantity, split).totals.total);
        const { minimum_amount: minimum, maximum_amount: maximum } = terms.commitments ?? {};
        if (minimum !== undefined) expect(billed.gte(minimum)).toBe(true);
        if (maximum !== undefined) expect(billed.lte(Decimal.max(maximum, billedBefore))).toBe(true);
        expect(billed.gte(billedBefore)).toBe(true);
      }),
      { numRuns: runs(5000) },
    );
  });

  test('is paid by credits to the cent', () => {
    fc.assert(
      fc.property(
        cards(anyCard),
        anyQuantity,
        fc.array(decimals(50, 2), { maxLength: 4 }),
        (terms, quantity, wanted) => {
          const input = { name: 'api', currency: USD, terms, quantity };
          const owed = new Decimal(rate(input).totals.total);
          const credits = affordable(wanted, owed);
          const given = Decimal.sum(0, ...credits);
          const { totals } = rate({ ...input, credits: credits.map((amount) => ({ amount })) });
          expect(totals).toMatchObject({ creditsTotal: formatDecimal(given), total: formatDecimal(owed.sub(given)) });
          expect(netAmount(totals)).toBe(formatDecimal(owed));
        },
      ),
      { numRuns: runs(2000) },
    );
  });

  test('changes nothing that it is given, and gives the same again', () => {
    fc.assert(
      fc.property(cards(anyCard), anyQuantity, (terms, quantity) => {
        const before = structuredClone(terms);
        expect(rateUsd(deepFreeze(terms), quantity)).toEqual(rateUsd(before, quantity));
        expect(terms).toEqual(before);
      }),
      { numRuns: runs(500) },
    );
  });
});

/** What they come to together: see rating-parts.test.ts. */
describe('parts of a period', () => {
  const cuts = (digits: number) => fc.array(decimals(80, digits), { minLength: 1, maxLength: 6 });

  test('use up the free units together', () => {
    fc.assert(
      fc.property(decimals(100, 2), cuts(2), (usage, meterValues) => {
        const terms = { price: { type: 'unit', amount: '1' }, discounts: { usage } } as const;
        const { parts, values } = rateParts(terms, meterValues);
        const taken = Decimal.sum(0, ...parts.map((part) => part.usageDiscount?.quantity ?? '0'));
        expect(taken.eq(Decimal.min(usage, values.at(-1) ?? 'NaN'))).toBe(true);
      }),
      { numRuns: runs(2000) },
    );
  });
});

interface Parts {
  total: string;
  /** Meter values at the cuts, ascending. */
  values: string[];
  parts: RatedLine[];
}

/** Bills a period in parts, as an invoice run does: each part knows the quantity before it and what was billed. */
function rateParts(terms: PricingTerms, meterValues: readonly string[]): Parts {
  const values = [...meterValues].sort((a, b) => new Decimal(a).cmp(b));
  const parts: RatedLine[] = [];
  let billed = '0';
  for (const [index, value] of values.entries()) {
    const previousQuantity = values[index - 1] ?? '0';
    const quantity = formatDecimal(new Decimal(value).sub(previousQuantity));
    const position = positionOf(index, values.length);
    const part = rateUsd(terms, quantity, { position, previousQuantity, previouslyBilledAmount: billed });
    parts.push(part);
    billed = formatDecimal(new Decimal(billed).add(netAmount(part.totals)));
    const maximum = terms.commitments?.maximum_amount;
    if (maximum !== undefined) expect(new Decimal(billed).lte(maximum)).toBe(true);
  }
  return { total: billed, values, parts };
}

function positionOf(index: number, count: number): Split['position'] {
  if (count === 1) return 'single';
  if (index === 0) return 'first';
  return index === count - 1 ? 'last' : 'mid';
}

function expectConsistent(totals: RatedLine['totals']): void {
  for (const text of Object.values(totals)) {
    expect(text).toMatch(NUMERIC);
    expect(new Decimal(text).decimalPlaces()).toBeLessThanOrEqual(USD.digits);
  }
  const sum = new Decimal(totals.amount)
    .add(totals.chargesTotal)
    .add(totals.taxesExclusiveTotal)
    .sub(totals.discountsTotal)
    .sub(totals.creditsTotal);
  expect(formatDecimal(sum)).toBe(totals.total);
}

/** The credits that fit into what is owed, the last one cut; none of zero. */
function affordable(wanted: readonly string[], owed: Decimal): string[] {
  let left = owed;
  const credits: string[] = [];
  for (const text of wanted) {
    const amount = Decimal.min(text, left);
    if (amount.gt(0)) credits.push(formatDecimal(amount));
    left = left.sub(amount);
  }
  return credits;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) deepFreeze(part);
    Object.freeze(value);
  }
  return value;
}
