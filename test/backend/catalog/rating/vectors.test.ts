import { describe, expect, test } from 'vitest';
import {
  allocate,
  convertQuantity,
  type DetailedLine,
  prorate,
  type RatedLine,
  type RateInput,
  RatingError,
  rate,
  splitPosition,
  sumTotals,
} from '../../../../backend/catalog/rating/index.ts';
import { fiatCurrency } from '../../../../backend/platform/currencies.ts';
import { Decimal, formatDecimal } from '../../../../backend/platform/decimal.ts';
import { type Currency, roundMoney } from '../../../../backend/platform/money.ts';
import {
  canonical,
  type ExpectedLine,
  type RateLineVector,
  termsOf,
  type UsageDiscountVector,
  vectors,
  vectorsOf,
} from './vectors.ts';

const KINDS = ['rate_line', 'usage_discount', 'unit_config', 'proration', 'rounding', 'allocation'];
const ERROR_CODES: Record<string, RatingError['code']> = {
  'mutator.ErrUnitConfigDisabled': 'unit_config_disabled',
  'billing.ErrInvoiceLineCreditsNotConsumedFully': 'credits_not_consumed_fully',
};

test('every vector is of a kind that is tested here', () => {
  expect(vectors.map(({ kind }) => kind).filter((kind) => !KINDS.includes(kind))).toEqual([]);
  expect(vectors.length).toBeGreaterThanOrEqual(74);
});

describe('rate_line', () => {
  test.each(vectorsOf('rate_line').map((vector) => [`${vector.name} (${vector.source})`, vector] as const))(
    '%s',
    (_, vector) => {
      if (vector.expect_error !== undefined) {
        expect(codeOf(() => rate(inputOf(vector)))).toBe(ERROR_CODES[vector.expect_error]);
        return;
      }
      const rated = rate(inputOf(vector));
      if (vector.expected_lines !== undefined) expectLines(rated.detailedLines, vector.expected_lines);
      if (vector.expected_total !== undefined) expect(rated.totals.total).toBe(canonical(vector.expected_total));
      expect(rated.totals).toEqual(
        sumTotals(
          rated.detailedLines.map((line) => line.totals),
          currencyOf(vector.currency),
        ),
      );
      expectPeriods(vector, rated);
      expectUsageDiscount(vector, rated);
    },
  );
});

/** Free units are rated at 1 each, so that what is left of the quantity is seen in the line. */
describe('usage_discount', () => {
  test.each(vectorsOf('usage_discount').map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const { expected } = vector;
    const rated = rate(unitLine(vector, { type: 'unit', amount: '1' }));
    expect(rated.invoicedQuantity).toBe(canonical(expected.quantity));
    expect(rated.usageDiscount?.quantity).toBe(canonical(expected.discount_quantity));
    if (expected.discount_pre_line_period_quantity !== undefined) {
      const before = canonical(expected.discount_pre_line_period_quantity);
      expect(rated.usageDiscount?.preLinePeriodQuantity).toBe(before);
    }
    expect(tierStart(vector)).toBe(canonical(expected.previous_quantity));
  });
});

/** Where a line begins to count is seen in a graduated price: units up to there are not in its first tier's line. */
function tierStart(vector: UsageDiscountVector): string {
  const bound = '1000';
  const unit_price = { type: 'unit', amount: '1' } as const;
  const tiers = [{ up_to_amount: bound, unit_price }, { unit_price }];
  const rated = rate({ ...unitLine(vector, { type: 'graduated', tiers }), quantity: '100000' });
  const inFirstTier = rated.detailedLines.find((line) => line.childUniqueReferenceId.includes('tiered-1-'));
  return formatDecimal(new Decimal(bound).sub(inFirstTier?.quantity ?? 'NaN'));
}

describe('unit_config', () => {
  test.each(vectorsOf('unit_config').map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    expect(convertQuantity(vector.quantity, vector.unit_config)).toBe(canonical(vector.expected_quantity));
  });
});

describe('proration', () => {
  test.each(vectorsOf('proration').map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const [from, to] = vector.service_period;
    const prorated = prorate({
      amount: vector.amount,
      currency: currencyOf(vector.currency),
      servicePeriod: { from, to },
      fullServicePeriod: { from: vector.full_service_period[0], to: vector.full_service_period[1] },
      prorationEnabled: vector.pro_rating_enabled ?? true,
      subscriptionEndProrationMode: vector.subscription_end_proration_mode,
      // The vectors with this mode are of subscriptions that end with the period.
      subscriptionEndsAt: vector.subscription_end_proration_mode === undefined ? undefined : to,
    });
    expect(prorated.amount).toBe(canonical(vector.expected_amount));
    expect(prorated.isBillable).toBe(!new Decimal(vector.expected_amount).isZero());
  });
});

describe('rounding', () => {
  test.each(vectorsOf('rounding').map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const currency = { code: vector.currency, digits: vector.precision };
    expect(formatDecimal(roundMoney(new Decimal(vector.amount), currency))).toBe(canonical(vector.expected));
    const known = fiatCurrency(vector.currency);
    if (known !== undefined) expect(known.digits).toBe(vector.precision);
  });
});

describe('allocation', () => {
  test.each(vectorsOf('allocation').map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const currency = { code: 'UNIT', digits: new Decimal(vector.unit).decimalPlaces() };
    const weights = Object.entries(vector.weights).map(([key, weight]) => ({ key, weight }));
    const expected = Object.entries(vector.expected).map(([key, amount]) => ({ key, amount: canonical(amount) }));
    expect(allocate(vector.amount, weights, currency)).toEqual(expected);
  });
});

function inputOf(vector: RateLineVector): RateInput {
  const period = vector.line_period ?? vector.full_period;
  return {
    name: 'feature',
    currency: currencyOf(vector.currency),
    terms: termsOf(vector),
    quantity: vector.quantity,
    split: {
      position: vector.line_position,
      previousQuantity: vector.previous_quantity,
      previouslyBilledAmount: vector.previously_billed_amount ?? '0',
    },
    servicePeriod: period && { from: period[0], to: period[1] },
    fullServicePeriod: vector.full_period && { from: vector.full_period[0], to: vector.full_period[1] },
    credits: vector.credits_to_apply?.map((amount) => ({ amount })),
    unitConfigEnabled: vector.unit_config_enabled,
  };
}

function unitLine(vector: UsageDiscountVector, price: RateInput['terms']['price']): RateInput {
  return {
    name: 'feature',
    currency: currencyOf('USD'),
    terms: { price, discounts: { usage: vector.usage_discount } },
    quantity: vector.quantity,
    split: { position: 'mid', previousQuantity: vector.previous_quantity, previouslyBilledAmount: '0' },
  };
}

function expectLines(lines: readonly DetailedLine[], expected: readonly ExpectedLine[]): void {
  expect(lines.map((line) => line.childUniqueReferenceId)).toEqual(expected.map((line) => line.ref));
  for (const [index, line] of lines.entries()) {
    const want = expected[index];
    if (want === undefined) throw new Error('unreachable: the lists are of the same length');
    expect(line).toMatchObject({
      name: want.name,
      quantity: canonical(want.quantity),
      unitPrice: canonical(want.unit_price),
      paymentTerm: want.payment_term,
      category: want.category,
    });
    const discounts = line.discounts.map(({ reason, amount }) => ({ reason, amount }));
    expect(discounts).toEqual(
      (want.discounts ?? []).map(({ reason, amount }) => ({ reason, amount: canonical(amount) })),
    );
    expect(line.creditsApplied.map(({ amount }) => amount)).toEqual((want.credits_applied ?? []).map(canonical));
    if (want.total !== undefined) expect(line.totals.total).toBe(canonical(want.total));
    if (want.totals !== undefined) {
      expect(line.totals).toEqual({
        amount: canonical(want.totals.amount),
        chargesTotal: canonical(want.totals.charges_total),
        discountsTotal: canonical(want.totals.discounts_total),
        creditsTotal: canonical(want.totals.credits_total),
        taxesTotal: '0',
        taxesInclusiveTotal: '0',
        taxesExclusiveTotal: '0',
        total: canonical(want.totals.total),
      });
    }
    if (want.total === undefined && want.totals === undefined) throw new Error('the vector expects no total');
  }
}

function expectPeriods(vector: RateLineVector, rated: RatedLine): void {
  if (vector.full_period === undefined || vector.line_period === undefined) return;
  const full = { from: vector.full_period[0], to: vector.full_period[1] };
  const own = { from: vector.line_period[0], to: vector.line_period[1] };
  expect(splitPosition(own, full)).toBe(vector.line_position);
  for (const line of rated.detailedLines) {
    expect(line.servicePeriod).toEqual(line.category === 'commitment' ? full : own);
  }
}

function expectUsageDiscount(vector: RateLineVector, rated: RatedLine): void {
  if (vector.expected_net_quantity !== undefined) {
    expect(rated.invoicedQuantity).toBe(canonical(vector.expected_net_quantity));
  }
  if (vector.expected_usage_discount !== undefined) {
    const { quantity, pre_line_period_quantity: before } = vector.expected_usage_discount;
    expect(rated.usageDiscount).toMatchObject({
      quantity: canonical(quantity),
      preLinePeriodQuantity: before === null ? null : canonical(before),
    });
  }
}

function currencyOf(code: string): Currency {
  const currency = fiatCurrency(code);
  if (currency === undefined) throw new Error(`unknown currency ${code}`);
  return currency;
}

function codeOf(run: () => unknown): RatingError['code'] {
  try {
    run();
  } catch (error) {
    if (error instanceof RatingError) return error.code;
    throw error;
  }
  throw new Error('no error was thrown');
}
