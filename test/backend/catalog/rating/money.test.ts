import { describe, expect, test } from 'vitest';
import { rate, sumTotals } from '../../../../backend/catalog/rating/index.ts';
import { customCurrency, fiatCurrency } from '../../../../backend/platform/currencies.ts';
import { Decimal, formatDecimal } from '../../../../backend/platform/decimal.ts';
import { isPayable, roundMoney } from '../../../../backend/platform/money.ts';
import { JPY, rateUsd, USD, unit } from '../../../support/catalog/rating.ts';

describe('digits of a currency', () => {
  test.each([
    ['USD', 2],
    ['EUR', 2],
    ['JPY', 0],
    ['KRW', 0],
    ['ISK', 0],
    ['KWD', 3],
    ['TND', 3],
    // People write these without digits; ISO 4217 has two.
    ['HUF', 2],
    ['CLF', 4],
    ['UYW', 4],
    ['UYI', 0],
    ...['BOV', 'CHE', 'CHW', 'COU', 'MXV', 'USN'].map((code): [string, number] => [code, 2]),
    ['IDR', 2],
    ['COP', 2],
    ['PKR', 2],
    ['IQD', 3],
  ])('%s has %i', (code, digits) => {
    expect(fiatCurrency(code)).toEqual({ code, digits });
  });

  test.each(['usd', 'ABC', '', 'CREDITS', 'toString', '__proto__'])('%j is no ISO 4217 currency', (code) => {
    expect(fiatCurrency(code)).toBeUndefined();
  });

  test('a custom currency has 0 to 12', () => {
    expect(customCurrency('CREDITS', 4)).toEqual({ code: 'CREDITS', digits: 4 });
    for (const digits of [-1, 13, 1.5, Number.NaN]) expect(() => customCurrency('CREDITS', digits)).toThrow(RangeError);
  });
});

describe('rounding', () => {
  test.each([
    ['0.005', 'USD', '0.01'],
    ['-0.005', 'USD', '-0.01'],
    ['0.00499999999999999999', 'USD', '0'],
    ['-0.004', 'USD', '0'],
    ['1.005', 'USD', '1.01'],
    ['2.675', 'USD', '2.68'],
    ['1.23456789', 'USD', '1.23'],
    ['1.9556789', 'JPY', '2'],
    ['0.5', 'JPY', '1'],
    ['2.5', 'JPY', '3'],
    ['1.0005', 'KWD', '1.001'],
  ])('%s %s is %s', (amount, code, expected) => {
    const currency = fiatCurrency(code) ?? USD;
    expect(formatDecimal(roundMoney(new Decimal(amount), currency))).toBe(expected);
  });

  test('an amount can be paid when rounding does not change it', () => {
    expect(isPayable(new Decimal('1.10'), USD)).toBe(true);
    expect(isPayable(new Decimal('1.101'), USD)).toBe(false);
    expect(isPayable(new Decimal('100'), JPY)).toBe(true);
    expect(isPayable(new Decimal('0.1'), JPY)).toBe(false);
  });

  test('a custom currency rounds at its own digits', () => {
    const currency = customCurrency('CREDITS', 4);
    const rated = rate({ name: 'api', currency, terms: { price: unit('0.00005') }, quantity: '3' });
    expect(rated.totals.total).toBe('0.0002');
  });
});

describe('totals', () => {
  test('of several lines are the sums, field by field', () => {
    const discounted = rateUsd({ price: unit('1'), discounts: { percentage: 25 } }, '8');
    const committed = rateUsd({ price: unit('1'), commitments: { minimum_amount: '10' } }, '4', {
      credits: [{ amount: '3' }],
    });
    expect(sumTotals([discounted.totals, committed.totals], USD)).toEqual({
      amount: '12',
      chargesTotal: '6',
      discountsTotal: '2',
      creditsTotal: '3',
      taxesTotal: '0',
      taxesInclusiveTotal: '0',
      taxesExclusiveTotal: '0',
      total: '13',
    });
  });

  test('of nothing are zero', () => {
    expect(new Set(Object.values(sumTotals([], USD)))).toEqual(new Set(['0']));
  });

  test('the rounded detailed lines are summed, not the exact products', () => {
    const half = rateUsd({ price: unit('0.005') }, '1').totals;
    expect(sumTotals([half, half], USD).total).toBe('0.02');
  });
});
