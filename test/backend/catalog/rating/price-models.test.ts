import { describe, expect, test } from 'vitest';
import { brief, errorOf, graduated, part, rateUsd, tier, unit, volume } from '../../../support/catalog/rating.ts';

describe('free', () => {
  test.each(['0', '5'])('no line at all for %s units, whatever else the card says', (quantity) => {
    const rated = rateUsd(
      { price: { type: 'free' }, commitments: { minimum_amount: '100' }, discounts: { percentage: 10, usage: '3' } },
      quantity,
    );
    expect(rated.detailedLines).toEqual([]);
    expect(rated.totals.total).toBe('0');
    expect(rated.invoicedQuantity).toBe(quantity);
  });
});

describe('flat', () => {
  const flat = { type: 'flat', amount: '100' } as const;

  test.each([
    ['in_advance', 'single', 1],
    ['in_advance', 'first', 1],
    ['in_advance', 'mid', 0],
    ['in_advance', 'last', 0],
    ['in_arrears', 'single', 1],
    ['in_arrears', 'first', 0],
    ['in_arrears', 'mid', 0],
    ['in_arrears', 'last', 1],
  ] as const)('%s on the %s part: %i lines', (payment_term, position, count) => {
    const rated = rateUsd({ price: flat, payment_term }, '1', { split: part(position) });
    expect(rated.detailedLines).toHaveLength(count);
    for (const line of rated.detailedLines) {
      expect(line).toMatchObject({ name: 'api', paymentTerm: payment_term, quantity: '1', unitPrice: '100' });
    }
  });

  test('is in arrears when the card does not say', () => {
    expect(rateUsd({ price: flat }, '1').detailedLines[0]?.paymentTerm).toBe('in_arrears');
  });

  test('the quantity has no meaning', () => {
    expect(brief(rateUsd({ price: flat }, '250'))).toEqual(['flat-price 1×100=100']);
  });

  test('a quantity of earlier parts is no part of its explanation', () => {
    const rated = rateUsd({ price: flat }, '3', { split: part('last', '5', '0') });
    expect(rated.explanation).toEqual([]);
    expect(rated.detailedLines[0]?.explanation.map(({ rule }) => rule)).toEqual(['flat_price']);
  });

  test('runs neither unit conversion nor free units nor commitments', () => {
    const terms = {
      price: flat,
      unit_config: { operation: 'divide', conversion_factor: '10' },
      commitments: { minimum_amount: '500', maximum_amount: '600' },
      discounts: { usage: '1' },
    } as const;
    const rated = rateUsd(terms, '1');
    expect(brief(rated)).toEqual(['flat-price 1×100=100']);
    expect(rated).toMatchObject({ rawQuantity: '1', invoicedQuantity: '1', usageDiscount: null });
  });

  test('a percentage discount of 100 leaves a line with total 0', () => {
    const rated = rateUsd({ price: flat, discounts: { percentage: 100 } }, '1');
    expect(brief(rated)).toEqual(['flat-price 1×100=0']);
    expect(rated.totals).toMatchObject({ amount: '100', discountsTotal: '100', total: '0' });
  });
});

describe('unit', () => {
  test('the unit price is not rounded, only the product', () => {
    expect(brief(rateUsd({ price: unit('0.00001') }, '150000'))).toEqual(['unit-price-usage 150000×0.00001=1.5']);
    expect(brief(rateUsd({ price: unit('0.00001') }, '499'))).toEqual(['unit-price-usage 499×0.00001=0']);
    expect(brief(rateUsd({ price: unit('0.00001') }, '500'))).toEqual(['unit-price-usage 500×0.00001=0.01']);
  });

  test.each(['0', '-3'])('no line for %s units', (quantity) => {
    expect(brief(rateUsd({ price: unit('10') }, quantity))).toEqual([]);
  });

  test('numbers beyond the exactness of 64-bit floats stay exact', () => {
    const rated = rateUsd({ price: unit('0.03') }, '9007199254740993.33');
    expect(brief(rated)).toEqual(['unit-price-usage 9007199254740993.33×0.03=270215977642229.8']);
    expect(rateUsd({ price: unit('0.1') }, '3').totals.total).toBe('0.3');
  });
});

describe('volume', () => {
  const price = volume(tier('5', '100', null), tier('10', '7', '2'), tier(null, null, '1'));

  test.each([
    ['0', ['volume-flat-price 1×100=100']],
    ['5', ['volume-flat-price 1×100=100']],
    ['5.001', ['volume-flat-price 1×7=7', 'volume-tiered-price 5.001×2=10']],
    ['10', ['volume-flat-price 1×7=7', 'volume-tiered-price 10×2=20']],
    ['11', ['volume-tiered-price 11×1=11']],
  ])('%s units: the tier that the total reaches prices all of them', (quantity, lines) => {
    expect(brief(rateUsd({ price }, quantity))).toEqual(lines);
  });

  test('names the tier', () => {
    const names = rateUsd({ price }, '6').detailedLines.map((line) => line.name);
    expect(names).toEqual(['api: flat price for tier 2', 'api: unit price for tier 2']);
  });

  test('only the last part bills', () => {
    expect(brief(rateUsd({ price }, '6', { split: part('first') }))).toEqual([]);
    expect(brief(rateUsd({ price }, '6', { split: part('mid') }))).toEqual([]);
    expect(brief(rateUsd({ price }, '6', { split: part('last') }))).toHaveLength(2);
  });

  test.each(['mid', 'last'] as const)('a previous quantity is an error on the %s part', (position) => {
    const run = () => rateUsd({ price }, '6', { split: part(position, '1') });
    expect(errorOf(run).code).toBe('volume_split_not_supported');
  });
});

describe('graduated', () => {
  const price = graduated(tier('5', '100', '0'), tier('10', '50', '3'), tier(null, '7', '2'));
  const rateOn = (quantity: string, split = part('single')) => brief(rateUsd({ price }, quantity, { split }));

  test('each unit in its own tier; the usage line stands before the flat line', () => {
    expect(rateOn('12')).toEqual([
      'graduated-tiered-1-price-usage 5×0=0',
      'graduated-tiered-1-flat-price 1×100=100',
      'graduated-tiered-2-price-usage 5×3=15',
      'graduated-tiered-2-flat-price 1×50=50',
      'graduated-tiered-3-price-usage 2×2=4',
      'graduated-tiered-3-flat-price 1×7=7',
    ]);
  });

  test('bounds are inclusive above: 5 is tier 1, a fraction more is tier 2', () => {
    expect(rateOn('5')).toHaveLength(2);
    expect(rateOn('5.0001').slice(2)).toEqual([
      'graduated-tiered-2-price-usage 0.0001×3=0',
      'graduated-tiered-2-flat-price 1×50=50',
    ]);
  });

  test('without usage: a usage line of 0 units, and tier 1 is paid by the first part only', () => {
    const nothing = 'graduated-tiered-1-price-usage 0×0=0';
    const flat = 'graduated-tiered-1-flat-price 1×100=100';
    expect(rateOn('0')).toEqual([nothing, flat]);
    expect(rateOn('0', part('first'))).toEqual([nothing, flat]);
    expect(rateOn('0', part('mid'))).toEqual([nothing]);
    expect(rateOn('0', part('last'))).toEqual([nothing]);
  });

  test('the first usage in a later part does not pay tier 1 a second time', () => {
    expect(rateOn('3', part('mid'))).toEqual(['graduated-tiered-1-price-usage 3×0=0']);
  });

  test('a first part that begins beyond tier 1 does not pay it', () => {
    expect(rateOn('1', part('first', '5.5'))).toEqual(['graduated-tiered-2-price-usage 1×3=3']);
  });

  test("a later tier's flat price is paid once, by the part that enters it", () => {
    expect(rateOn('1', part('mid', '5'))).toEqual([
      'graduated-tiered-2-price-usage 1×3=3',
      'graduated-tiered-2-flat-price 1×50=50',
    ]);
    expect(rateOn('1', part('mid', '5.5'))).toEqual(['graduated-tiered-2-price-usage 1×3=3']);
  });

  test('a part that enters two tiers pays both', () => {
    expect(rateOn('7', part('mid', '4'))).toEqual([
      'graduated-tiered-1-price-usage 1×0=0',
      'graduated-tiered-2-price-usage 5×3=15',
      'graduated-tiered-2-flat-price 1×50=50',
      'graduated-tiered-3-price-usage 1×2=2',
      'graduated-tiered-3-flat-price 1×7=7',
    ]);
  });

  test('a first tier up to 0 is the fee for being there, the second the fee for using it', () => {
    const used = graduated(tier('0', '10', '5'), tier(null, '20', '1'));
    expect(brief(rateUsd({ price: used }, '0'))).toEqual([
      'graduated-tiered-1-price-usage 0×5=0',
      'graduated-tiered-1-flat-price 1×10=10',
    ]);
    expect(brief(rateUsd({ price: used }, '3'))).toEqual([
      'graduated-tiered-1-flat-price 1×10=10',
      'graduated-tiered-2-price-usage 3×1=3',
      'graduated-tiered-2-flat-price 1×20=20',
    ]);
  });

  test('a meter that falls bills nothing', () => {
    expect(rateOn('-3', part('mid', '8'))).toEqual([]);
  });

  test('the order in which tiers are written does not matter', () => {
    const shuffled = graduated(tier(null, '7', '2'), tier('10', '50', '3'), tier('5', '100', '0'));
    expect(brief(rateUsd({ price: shuffled }, '12'))).toEqual(rateOn('12'));
  });
});
