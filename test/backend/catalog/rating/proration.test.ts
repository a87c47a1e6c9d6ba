import { describe, expect, test } from 'vitest';
import { type ProrationInput, prorate } from '../../../../backend/catalog/rating/index.ts';
import { errorOf, JPY, rateUsd, USD, unit } from '../../../support/catalog/rating.ts';

const JANUARY = { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' };
const FIFTEEN_DAYS = { from: '2026-01-01T00:00:00Z', to: '2026-01-16T00:00:00Z' };

function prorated(amount: string, from: string, to: string, more: Partial<ProrationInput> = {}) {
  const servicePeriod = { from, to };
  return prorate({ amount, currency: USD, servicePeriod, fullServicePeriod: JANUARY, prorationEnabled: true, ...more });
}

describe('the share of a flat fee', () => {
  test.each([
    ['15 of 31 days', '100', '2026-01-01T00:00:00Z', '2026-01-16T00:00:00Z', '48.39'],
    ['10 of 31 days', '100', '2026-01-01T00:00:00Z', '2026-01-11T00:00:00Z', '32.26'],
    ['the first day', '10', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', '0.32'],
    ['all but 40 seconds', '10', '2026-01-01T00:00:40Z', '2026-02-01T00:00:00Z', '10'],
  ])('%s', (_, amount, from, to, expected) => {
    expect(prorated(amount, from, to).amount).toBe(expected);
  });

  test('one of three months', () => {
    const fullServicePeriod = { from: '2024-01-01T00:00:00Z', to: '2024-04-01T00:00:00Z' };
    expect(prorated('9', '2024-01-01T00:00:00Z', '2024-02-01T00:00:00Z', { fullServicePeriod }).amount).toBe('3.07');
  });

  test('lengths are real time: the hour that a clock change skips is not counted', () => {
    const day = { from: '2026-03-29T00:00:00+01:00', to: '2026-03-30T00:00:00+02:00' };
    const { amount } = prorated('23', day.from, '2026-03-29T01:00:00+01:00', { fullServicePeriod: day });
    expect(amount).toBe('1');
  });

  test('fractions of a second are cut', () => {
    const second = { from: '2026-01-01T00:00:00Z', to: '2026-01-01T00:00:02Z' };
    const { amount } = prorated('2', second.from, '2026-01-01T00:00:01.999Z', { fullServicePeriod: second });
    expect(amount).toBe('1');
  });

  test('exactly half a cent rounds away from zero, also when the quotient is endless', () => {
    const week = { from: '2026-01-01T00:00:00Z', to: '2026-01-08T00:00:00Z' };
    const { amount } = prorated('0.035', week.from, '2026-01-02T00:00:00Z', { fullServicePeriod: week });
    expect(amount).toBe('0.01');
  });

  test('rounds to the currency', () => {
    const { amount } = prorated('1000', FIFTEEN_DAYS.from, FIFTEEN_DAYS.to, { currency: JPY });
    expect(amount).toBe('484');
  });
});

describe('the whole fee', () => {
  const whole = { amount: '100', isBillable: true, explanation: [] };

  test('when proration is off', () => {
    expect(prorated('100', FIFTEEN_DAYS.from, FIFTEEN_DAYS.to, { prorationEnabled: false })).toEqual(whole);
  });

  test.each([
    ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'],
    ['2026-01-01T00:00:00Z', '2026-03-01T00:00:00Z'],
    ['2026-01-05T00:00:00Z', '2026-01-05T00:00:00Z'],
  ])('for %s to %s: not shorter, or empty', (from, to) => {
    expect(prorated('100', from, to)).toEqual(whole);
  });

  test('when the full period is empty', () => {
    const fullServicePeriod = { from: JANUARY.from, to: JANUARY.from };
    expect(prorated('100', FIFTEEN_DAYS.from, FIFTEEN_DAYS.to, { fullServicePeriod })).toEqual(whole);
  });

  test.each([
    ['bill_full_period', '2026-01-16T00:00:00Z', '100'],
    ['bill_full_period', '2026-01-10T00:00:00Z', '100'],
    ['bill_full_period', '2026-01-16T00:00:01Z', '48.39'],
    ['bill_full_period', undefined, '48.39'],
    ['bill_actual_period', '2026-01-16T00:00:00Z', '48.39'],
    [undefined, '2026-01-16T00:00:00Z', '48.39'],
  ] as const)('%s, subscription ends %s: %s', (subscriptionEndProrationMode, subscriptionEndsAt, expected) => {
    const more = { subscriptionEndProrationMode, subscriptionEndsAt };
    expect(prorated('100', FIFTEEN_DAYS.from, FIFTEEN_DAYS.to, more).amount).toBe(expected);
  });
});

test('an amount that rounds to nothing gets no line', () => {
  expect(prorated('5', '2026-01-01T00:00:00Z', '2026-01-01T00:00:40Z')).toMatchObject({
    amount: '0',
    isBillable: false,
  });
  expect(prorated('0', JANUARY.from, JANUARY.to).isBillable).toBe(false);
  expect(prorated('0.004', JANUARY.from, JANUARY.to).isBillable).toBe(false);
});

test('usage prices, free units, tiers and commitments are not prorated', () => {
  const terms = { price: unit('1'), commitments: { minimum_amount: '100' }, discounts: { usage: '10' } };
  const half = rateUsd(terms, '20', { servicePeriod: FIFTEEN_DAYS, fullServicePeriod: FIFTEEN_DAYS });
  expect(half.usageDiscount?.quantity).toBe('10');
  expect(half.totals.total).toBe('100');
});

test.each(['2026-02-30T00:00:00Z', '2026-01-01', ''])('%j is no instant', (from) => {
  expect(errorOf(() => prorated('1', from, JANUARY.to)).code).toBe('invalid_period');
});
