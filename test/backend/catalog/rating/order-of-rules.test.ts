import { describe, expect, test } from 'vitest';
import {
  convertQuantity,
  convertQuantityPrecisely,
  type UnitConfig,
} from '../../../../backend/catalog/rating/index.ts';
import { brief, errorOf, graduated, JPY, part, rateUsd, tier, unit } from '../../../support/catalog/rating.ts';

const thousands: UnitConfig = {
  operation: 'divide',
  conversion_factor: '1000',
  rounding: 'ceiling',
  display_unit: 'K',
};

describe('unit conversion', () => {
  test.each([
    ['divide', '1000', 'half_up', 0, '1500', '2'],
    ['divide', '1000', 'half_up', 0, '1499.9', '1'],
    ['divide', '1000', 'ceiling', 2, '1401', '1.41'],
    ['divide', '1000', 'floor', 2, '1409', '1.4'],
    ['divide', '1000', 'half_up', 1, '1450', '1.5'],
    ['divide', '1000', 'none', 1, '1456', '1.456'],
    ['multiply', '1.2', 'none', 0, '10', '12'],
    ['multiply', '1.25', 'ceiling', 0, '3', '4'],
    ['divide', '3', 'ceiling', 0, '9', '3'],
    ['divide', '1099511627776', 'none', 0, '1', '0.0000000000009094947017729282379150390625'],
  ] as const)('%s by %s, %s to %i places: %s is %s', (operation, factor, rounding, precision, quantity, expected) => {
    expect(convertQuantity(quantity, { operation, conversion_factor: factor, rounding, precision })).toBe(expected);
  });

  test('is not rounded by default', () => {
    expect(convertQuantity('1400', { operation: 'divide', conversion_factor: '1000' })).toBe('1.4');
  });

  test.each([
    ['20', '0.015', '0.01'],
    ['50', '0.03', '0.03'],
  ])('what is divided without end is multiplied first: %s s ÷ 60 at %s is %s', (seconds, amount, total) => {
    const unit_config = { operation: 'divide', conversion_factor: '60' } as const;
    expect(rateUsd({ price: unit(amount), unit_config }, seconds).totals.total).toBe(total);
  });

  test('entitlement checks see the quantity before rounding', () => {
    expect(convertQuantityPrecisely('1400', thousands)).toBe('1.4');
    expect(convertQuantity('1400', thousands)).toBe('2');
  });

  test('parts of an endless quotient add up to the whole', () => {
    const price = graduated(tier('2', null, '1'), tier(null, '1000', '1'));
    const unit_config = { operation: 'divide', conversion_factor: '3' } as const;
    const rated = rateUsd({ price, unit_config }, '1', { split: part('last', '5') });
    expect(rated.detailedLines.map((line) => line.childUniqueReferenceId)).toEqual(['graduated-tiered-1-price-usage']);
    expect(convertQuantity('1', unit_config)).toBe(`0.${'3'.repeat(50)}`);
    expect(convertQuantity('5', unit_config)).toBe(`1.${'6'.repeat(49)}7`);
  });

  test('converts and rounds the current and the previous quantity, each alone', () => {
    const price = graduated(tier('2', null, '10'), tier(null, null, '1'));
    const rated = rateUsd({ price, unit_config: thousands }, '1001', { split: part('mid', '1400') });
    expect(brief(rated)).toEqual(['graduated-tiered-2-price-usage 2×1=2']);
  });

  test('the line tells the metered and the billed quantity', () => {
    const rated = rateUsd({ price: unit('10'), unit_config: thousands, discounts: { usage: '0.5' } }, '1400');
    expect(rated).toMatchObject({ rawQuantity: '1400', invoicedQuantity: '1.5', displayUnit: 'K' });
  });

  test('switched off it is an error, not another bill; without it the switch has no effect', () => {
    const off = { unitConfigEnabled: false };
    expect(errorOf(() => rateUsd({ price: unit('1'), unit_config: thousands }, '1', off)).code).toBe(
      'unit_config_disabled',
    );
    expect(rateUsd({ price: unit('1') }, '1', off).totals.total).toBe('1');
  });

  test('a factor of zero is an error', () => {
    const config = { operation: 'divide', conversion_factor: '0' } as const;
    expect(errorOf(() => convertQuantity('1', config)).code).toBe('invalid_number');
    expect(errorOf(() => rateUsd({ price: unit('1'), unit_config: config }, '1')).code).toBe('invalid_pricing');
  });
});

describe('free units', () => {
  test('are counted in converted units, after rounding', () => {
    const rated = rateUsd({ price: unit('10'), unit_config: thousands, discounts: { usage: '1' } }, '1001');
    expect(brief(rated)).toEqual(['unit-price-usage 1×10=10']);
  });

  test('move the start of the tiers', () => {
    const price = graduated(tier('5', null, '2'), tier(null, null, '1'));
    const rated = rateUsd({ price, discounts: { usage: '10' } }, '12', { split: part('mid', '4') });
    expect(brief(rated)).toEqual(['graduated-tiered-1-price-usage 5×2=10', 'graduated-tiered-2-price-usage 1×1=1']);
  });

  test('carry a stable child id', () => {
    const terms = { price: unit('1'), discounts: { usage: '2' } };
    const reference = 'rateCardDiscount/correlationID=abc';
    const rated = rateUsd(terms, '5', { discountCorrelationIds: { usage: 'abc' } });
    expect(rated.usageDiscount).toEqual({
      reason: 'ratecard_usage',
      quantity: '2',
      preLinePeriodQuantity: null,
      childUniqueReferenceId: reference,
    });
    expect(rateUsd(terms, '5').usageDiscount?.childUniqueReferenceId).toBe(
      rateUsd(terms, '9').usageDiscount?.childUniqueReferenceId,
    );
  });

  test('are told where none were taken, too', () => {
    const none = { quantity: '0', preLinePeriodQuantity: null };
    expect(rateUsd({ price: unit('1'), discounts: { usage: '2' } }, '0').usageDiscount).toMatchObject(none);
    expect(rateUsd({ price: unit('1'), discounts: { usage: '0' } }, '5').usageDiscount).toMatchObject(none);
    expect(rateUsd({ price: unit('1') }, '5').usageDiscount).toBeNull();
    expect(rateUsd({ price: { type: 'flat', amount: '1' }, discounts: { usage: '2' } }, '1').usageDiscount).toBeNull();
  });
});

describe('percentage discount', () => {
  test('is taken off each detailed line and rounded there', () => {
    const price = graduated(tier('5', '0.05', '0.01'), tier(null, null, '0.03'));
    const rated = rateUsd({ price, discounts: { percentage: 50 } }, '6');
    // Halves of 0.05, 0.05 and 0.03: 0.025 and 0.015 round up.
    expect(rated.detailedLines.map((line) => line.totals.discountsTotal)).toEqual(['0.03', '0.03', '0.02']);
    expect(rated.totals).toMatchObject({ amount: '0.13', discountsTotal: '0.08', total: '0.05' });
  });

  test.each([
    [33.3, '33.3'],
    ['33.3', '33.3'],
    [1e-7, '0'],
  ])('may be a JSON number or a text: %s', (percentage, discount) => {
    expect(rateUsd({ price: unit('1'), discounts: { percentage } }, '100').totals.discountsTotal).toBe(discount);
  });

  test('carries the child id of the rate card discount', () => {
    const rated = rateUsd({ price: unit('1'), discounts: { percentage: 10 } }, '100', {
      discountCorrelationIds: { percentage: '01J' },
    });
    expect(rated.detailedLines[0]?.discounts).toEqual([
      { reason: 'ratecard_percentage', amount: '10', childUniqueReferenceId: 'rateCardDiscount/correlationID=01J' },
    ]);
  });

  test('leaves no entry where it takes nothing', () => {
    expect(rateUsd({ price: unit('0'), discounts: { percentage: 10 } }, '5').detailedLines[0]?.discounts).toEqual([]);
  });

  test('rounds at the digits of the currency', () => {
    const rated = rateUsd({ price: unit('1'), discounts: { percentage: 50 } }, '5', { currency: JPY });
    expect(rated.totals).toMatchObject({ discountsTotal: '3', total: '2' });
  });
});

describe('maximum spend', () => {
  const capped = (percentage?: number) => ({
    price: graduated(tier('5', '60', null), tier(null, '60', '10')),
    commitments: { maximum_amount: '100' },
    discounts: percentage === undefined ? undefined : { percentage },
  });

  test('the line that crosses it is cut, those after it are free', () => {
    expect(brief(rateUsd(capped(), '7'))).toEqual([
      'graduated-tiered-1-flat-price 1×60=60',
      'graduated-tiered-2-price-usage 2×10=20',
      'graduated-tiered-2-flat-price 1×60=20',
    ]);
    expect(rateUsd(capped(), '7').detailedLines[2]?.discounts).toEqual([
      { reason: 'maximum_spend', amount: '40', childUniqueReferenceId: 'maximum_spend' },
    ]);
    expect(rateUsd(capped(), '20').detailedLines.map((line) => line.totals.total)).toEqual(['60', '40', '0']);
  });

  test('runs after the percentage discount', () => {
    expect(rateUsd(capped(50), '7').totals).toMatchObject({ amount: '140', discountsTotal: '70', total: '70' });
    expect(rateUsd(capped(10), '7').totals).toMatchObject({ amount: '140', discountsTotal: '40', total: '100' });
  });

  test('counts what earlier parts billed, and never pays back', () => {
    const totalAfter = (billed: string) => rateUsd(capped(), '1', { split: part('mid', '6', billed) }).totals.total;
    expect(totalAfter('90')).toBe('10');
    expect(totalAfter('100')).toBe('0');
    expect(totalAfter('130')).toBe('0');
  });

  test('of zero makes everything free', () => {
    expect(rateUsd({ price: unit('1'), commitments: { maximum_amount: '0' } }, '5').totals.total).toBe('0');
  });

  test('with more digits than the currency is reached to the nearest cent', () => {
    expect(rateUsd({ price: unit('1'), commitments: { maximum_amount: '2.504' } }, '5').totals.total).toBe('2.5');
  });
});

describe('minimum spend', () => {
  const floored = { price: unit('10'), commitments: { minimum_amount: '100' } };
  const servicePeriod = { from: '2026-01-15T00:00:00Z', to: '2026-02-01T00:00:00Z' };
  const fullServicePeriod = { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' };

  test('is a line of its own, in arrears, for the whole service period', () => {
    const rated = rateUsd(floored, '3', { split: part('last', '2', '20'), servicePeriod, fullServicePeriod });
    expect(rated.detailedLines).toHaveLength(2);
    expect(rated.detailedLines[0]?.servicePeriod).toEqual(servicePeriod);
    expect(rated.detailedLines[1]).toMatchObject({
      name: 'api: minimum spend',
      childUniqueReferenceId: 'min-spend',
      category: 'commitment',
      paymentTerm: 'in_arrears',
      quantity: '1',
      unitPrice: '50',
      servicePeriod: fullServicePeriod,
      totals: { amount: '0', chargesTotal: '50', discountsTotal: '0', total: '50' },
    });
    expect(rated.totals).toMatchObject({ amount: '30', chargesTotal: '50', total: '80' });
  });

  test.each(['first', 'mid'] as const)('does not show on the %s part', (position) => {
    expect(rateUsd(floored, '3', { split: part(position) }).detailedLines).toHaveLength(1);
  });

  test('is not touched by the percentage discount', () => {
    const rated = rateUsd({ ...floored, discounts: { percentage: 50 } }, '4');
    expect(brief(rated)).toEqual(['unit-price-usage 4×10=20', 'min-spend 1×80=80']);
  });

  test('adds nothing when it is met exactly, or by earlier parts', () => {
    expect(rateUsd(floored, '10').detailedLines).toHaveLength(1);
    expect(rateUsd(floored, '0', { split: part('last', '12', '120') }).detailedLines).toEqual([]);
  });

  test('equal to the maximum makes a fixed price', () => {
    const fixed = { price: unit('10'), commitments: { minimum_amount: '100', maximum_amount: '100' } };
    expect(['0', '5', '50'].map((quantity) => rateUsd(fixed, quantity).totals.total)).toEqual(['100', '100', '100']);
  });
});

describe('credits', () => {
  const terms = { price: graduated(tier('5', '60', null), tier(null, '40', '0')), discounts: { percentage: 50 } };

  test('pay what is left after the discounts, and tell which credit paid what', () => {
    const credits = [
      { amount: '10', id: 'a', description: 'Welcome' },
      { amount: '25', id: 'b' },
    ];
    const rated = rateUsd(terms, '7', { credits });
    expect(rated.detailedLines.map((line) => line.creditsApplied)).toEqual([
      [
        { amount: '10', id: 'a', description: 'Welcome' },
        { amount: '20', id: 'b' },
      ],
      [],
      [{ amount: '5', id: 'b' }],
    ]);
    expect(rated.totals).toMatchObject({ amount: '100', discountsTotal: '50', creditsTotal: '35', total: '15' });
  });

  test('pay the minimum spend, too', () => {
    const committed = { price: unit('1'), commitments: { minimum_amount: '10' } };
    const rated = rateUsd(committed, '4', { credits: [{ amount: '10' }] });
    expect(brief(rated)).toEqual(['unit-price-usage 4×1=0', 'min-spend 1×6=0']);
    expect(rated.totals).toMatchObject({ amount: '4', chargesTotal: '6', creditsTotal: '10', total: '0' });
  });

  test('pay flat prices', () => {
    const rated = rateUsd({ price: { type: 'flat', amount: '9' } }, '1', { credits: [{ amount: '4' }] });
    expect(rated.totals).toMatchObject({ amount: '9', creditsTotal: '4', total: '5' });
  });

  test('that are left over are an error: they would be lost', () => {
    const error = errorOf(() => rateUsd(terms, '7', { credits: [{ amount: '50' }, { amount: '0.01' }] }));
    expect(error.code).toBe('credits_not_consumed_fully');
    expect(error.message).toContain('0.01 USD');
    expect(errorOf(() => rateUsd({ price: { type: 'free' } }, '0', { credits: [{ amount: '1' }] })).code).toBe(
      'credits_not_consumed_fully',
    );
  });

  test.each(['0', '-5', 'ten', 'NaN', 'Infinity', ''])('%j is no credit', (amount) => {
    expect(errorOf(() => rateUsd(terms, '7', { credits: [{ amount }] })).code).toBe('invalid_number');
  });
});
