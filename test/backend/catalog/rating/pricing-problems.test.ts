import { describe, expect, test } from 'vitest';
import { findPricingProblems, type PricingTerms } from '../../../../backend/catalog/rating/index.ts';
import { errorOf, graduated, rateUsd, tier, unit, volume } from '../../../support/catalog/rating.ts';

const rulesOf = (terms: PricingTerms) => findPricingProblems(terms).map(({ rule, field }) => `${rule} ${field}`);
const divide = (conversion_factor: string, precision?: number) =>
  ({ operation: 'divide', conversion_factor, precision }) as const;

describe('terms that are fine', () => {
  test.each([
    [{ price: { type: 'free' } }],
    [{ price: { type: 'flat', amount: '0' }, payment_term: 'in_advance', discounts: { percentage: 100 } }],
    [{ price: unit('0.00001'), commitments: { minimum_amount: '1', maximum_amount: '1' }, unit_config: divide('1e3') }],
    [{ price: graduated(tier('5', '1', null), tier(null, null, '1')), discounts: { percentage: 0, usage: '0' } }],
    [{ price: volume(tier(null, '1', '1')), unit_config: divide('0.5', 50) }],
    [{ price: unit('0'), commitments: {} }],
    [{ price: unit('0'), unit_config: null, discounts: null, commitments: null }],
  ] as [PricingTerms][])('%j', (terms) => {
    expect(findPricingProblems(terms)).toEqual([]);
  });
});

describe('terms that cannot be rated', () => {
  test.each([
    [{ price: { type: 'flat', amount: '-1' } }, ['negative_number price.amount']],
    [{ price: unit('') }, ['invalid_number price.amount']],
    [{ price: unit('NaN') }, ['invalid_number price.amount']],
    [{ price: unit('0x10') }, ['invalid_number price.amount']],
    [{ price: unit('1e999') }, ['invalid_number price.amount']],
    [{ price: unit('9'.repeat(801)) }, ['invalid_number price.amount']],
    [{ price: graduated() }, ['no_tiers price.tiers']],
    [{ price: volume(tier('5', '1', null)) }, ['not_one_open_ended_tier price.tiers']],
    [{ price: graduated(tier(null, '1', null), tier(null, null, '1')) }, ['not_one_open_ended_tier price.tiers']],
    [
      { price: graduated(tier('5', '1', null), tier('5.0', '1', null), tier(null, '1', null)) },
      ['duplicate_tier_bound price.tiers.1.up_to_amount'],
    ],
    [{ price: graduated(tier('5', null, null), tier(null, '1', null)) }, ['tier_without_price price.tiers.0']],
    [
      { price: volume(tier('-5', '-1', '-2'), tier(null, '1', null)) },
      [
        'negative_number price.tiers.0.up_to_amount',
        'negative_number price.tiers.0.flat_price.amount',
        'negative_number price.tiers.0.unit_price.amount',
      ],
    ],
    [
      { price: unit('1'), commitments: { minimum_amount: '2', maximum_amount: '1.99' } },
      ['minimum_above_maximum commitments.minimum_amount'],
    ],
    [
      { price: unit('1'), commitments: { minimum_amount: '-2', maximum_amount: '-1' } },
      ['negative_number commitments.minimum_amount', 'negative_number commitments.maximum_amount'],
    ],
    [{ price: unit('1'), discounts: { percentage: -0.1 } }, ['percentage_out_of_range discounts.percentage']],
    [{ price: unit('1'), discounts: { percentage: '100.01' } }, ['percentage_out_of_range discounts.percentage']],
    [{ price: unit('1'), discounts: { percentage: Number.NaN } }, ['percentage_out_of_range discounts.percentage']],
    [{ price: unit('1'), discounts: { usage: '-1' } }, ['negative_number discounts.usage']],
    [{ price: unit('1'), unit_config: divide('0') }, ['number_not_positive unit_config.conversion_factor']],
    [{ price: unit('1'), unit_config: divide('1', -1) }, ['precision_out_of_range unit_config.precision']],
    [{ price: unit('1'), unit_config: divide('1', 51) }, ['precision_out_of_range unit_config.precision']],
    [{ price: unit('1'), unit_config: divide('1', 0.5) }, ['precision_out_of_range unit_config.precision']],
  ] as [PricingTerms, string[]][])('%j', (terms, rules) => {
    expect(rulesOf(terms)).toEqual(rules);
    const error = errorOf(() => rateUsd(terms, '1'));
    expect(error.code).toBe('invalid_pricing');
    expect(error.problems).toEqual(findPricingProblems(terms));
  });
});

describe('rules that have no effect on the price', () => {
  test.each([
    [{ commitments: { minimum_amount: '1' } }, 'commitments_with_flat_price commitments'],
    [{ discounts: { usage: '1' } }, 'usage_discount_with_flat_price discounts.usage'],
    [{ unit_config: divide('10') }, 'unit_config_requires_usage_based_price unit_config'],
  ] as [Partial<PricingTerms>, string][])('%j on flat and free prices is told, and rated without', (terms, rule) => {
    for (const price of [{ type: 'flat', amount: '7' }, { type: 'free' }] as const) {
      expect(rulesOf({ price, ...terms })).toEqual([rule]);
      expect(rateUsd({ price, ...terms }, '1').totals.total).toBe(price.type === 'flat' ? '7' : '0');
    }
  });
});

describe('quantities that are no numbers', () => {
  test.each(['', 'NaN', 'Infinity', '1,000', '0x1', ' 1', '1e1000'])('%j', (text) => {
    const terms = { price: unit('1') };
    expect(errorOf(() => rateUsd(terms, text)).code).toBe('invalid_number');
    const split = { position: 'mid', previousQuantity: text, previouslyBilledAmount: '0' } as const;
    expect(errorOf(() => rateUsd(terms, '1', { split })).code).toBe('invalid_number');
    const billed = { position: 'mid', previousQuantity: '0', previouslyBilledAmount: text } as const;
    expect(errorOf(() => rateUsd(terms, '1', { split: billed })).code).toBe('invalid_number');
  });
});
