import { expect, test } from 'vitest';
import { type Price, type PricingTerms, prorate, type Split } from '../../../../backend/catalog/rating/index.ts';
import { graduated, part, rateUsd, tier, USD, unit, volume } from '../../../support/catalog/rating.ts';

function words(terms: PricingTerms, quantity: string, split?: Split): string[][] {
  return rateUsd(terms, quantity, { split }).detailedLines.map((line) => line.explanation.map(({ text }) => text));
}

test('a line tells every rule that touched it, in order, with its numbers', () => {
  const terms: PricingTerms = {
    price: unit('0.0025'),
    unit_config: { operation: 'divide', conversion_factor: '1000', rounding: 'ceiling', display_unit: 'K' },
    discounts: { usage: '100', percentage: 10 },
    commitments: { minimum_amount: '5', maximum_amount: '9' },
  };
  const rated = rateUsd(terms, '4320999', { credits: [{ amount: '2' }] });
  expect(rated.detailedLines[0]?.explanation).toEqual([
    { rule: 'unit_conversion', text: 'Metered 4320999 ÷ 1000, rounded up, is 4321 K.', result: '4321' },
    { rule: 'free_units', text: '100 units are free. 100 are taken here, 4221 are billed.', result: '4221' },
    { rule: 'unit_price', text: 'Unit price: 4221 × 0.0025 USD = 10.5525 USD.', result: '10.5525' },
    { rule: 'rounding', text: 'Rounded to 2 decimal places, half away from zero: 10.55 USD.', result: '10.55' },
    { rule: 'percentage_discount', text: '10 % discount on 10.55 USD: −1.06 USD, leaves 9.49 USD.', result: '9.49' },
    {
      rule: 'maximum_spend',
      text: 'At most 9 USD a period: −0.49 USD, which brings the period to 9 USD and leaves 9 USD.',
      result: '9',
    },
    { rule: 'credits', text: 'Credits pay 2 USD, 7 USD are left to pay.', result: '7' },
  ]);
  expect(rated.explanation.map(({ rule }) => rule)).toEqual(['unit_conversion', 'free_units']);
});

test('tiers are named with their bounds', () => {
  const price = graduated(tier('5', '1', null), tier('10', null, '2'), tier(null, null, '3'));
  expect(words({ price }, '11')).toEqual([
    ['Flat price of tier 1 (units up to 5), charged once when it is entered: 1 × 1 USD = 1 USD.'],
    ['Unit price of tier 2 (units above 5, up to 10): 5 × 2 USD = 10 USD.'],
    ['Unit price of tier 3 (units above 10): 1 × 3 USD = 3 USD.'],
  ]);
  expect(words({ price: volume(tier(null, null, '2')) }, '3')).toEqual([
    ['Unit price of tier 1 (all units), which the total reaches: 3 × 2 USD = 6 USD.'],
  ]);
});

test('a part of a period tells where it counts on', () => {
  expect(words({ price: unit('5'), discounts: { usage: '3' } }, '20', part('mid', '15'))).toEqual([
    [
      '3 units are free. Earlier parts of the period took 3 of them. 0 are taken here, 20 are billed.',
      'Earlier parts of the period used 12; this part counts on from there.',
      'Unit price: 20 × 5 USD = 100 USD.',
    ],
  ]);
});

test('a minimum tells what was billed and what is missing', () => {
  const terms = { price: unit('1'), commitments: { minimum_amount: '10' } };
  expect(words(terms, '0', part('last', '4', '4'))).toEqual([
    ['At least 10 USD a period: 4 USD are billed, 6 USD are missing.'],
  ]);
});

test('flat prices', () => {
  expect(words({ price: { type: 'flat', amount: '9' }, payment_term: 'in_advance' }, '1')).toEqual([
    ['Flat price, paid in advance: 1 × 9 USD = 9 USD.'],
  ]);
});

test.each([
  [{ type: 'free' }, 'single', 'Free: nothing is billed.'],
  [unit('1'), 'single', 'No usage to bill.'],
  [{ type: 'flat', amount: '1' }, 'first', 'A fee in arrears is billed with another part.'],
  [volume(tier(null, null, '1')), 'mid', 'A volume price is billed when the period ends.'],
  [volume(tier(null, null, '1')), 'single', 'No usage to bill, and the tier has no flat price.'],
  [graduated(tier(null, '1', null)), 'mid', 'No usage to bill.'],
] as [Price, Split['position'], string][])('%j, %s part: why there is no line', (price, position, reason) => {
  const rated = rateUsd({ price }, '0', { split: part(position) });
  expect(rated.detailedLines).toEqual([]);
  expect(rated.explanation).toEqual([{ rule: 'no_line', text: reason, result: null }]);
});

test('proration tells its lengths', () => {
  const { explanation } = prorate({
    amount: '31',
    currency: USD,
    servicePeriod: { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' },
    fullServicePeriod: { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' },
    prorationEnabled: true,
  });
  const text = '31 USD for 2678400 seconds, of which 86400 are billed: 1 USD.';
  expect(explanation).toEqual([{ rule: 'proration', text, result: '1' }]);
});
