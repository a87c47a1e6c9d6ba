import { expect, test } from 'vitest';
import { type PricingTerms, rate, runningAmount, unitsLeft } from '../../backend/catalog/rating/index.ts';
import { Decimal } from '../../backend/platform/decimal.ts';
import { fc } from '../support/property.ts';
import { cards, decimals } from './rating-cards.ts';

/** So fine that nothing of these prices is rounded. */
const FINE = { code: 'USD', digits: 20 };
/** A third of them is enough for each change; all of them run in the long form. */
const runs = (all: number): number => (process.env['LONG'] === '1' ? all : Math.ceil(all / 3));
/** As far as the walk goes. */
const FAR = 80;

const terms = cards({
  models: ['unit', 'graduated', 'volume'],
  priceDigits: 2,
  quantityDigits: 1,
  percentageDigits: 1,
  unitConfig: fc.option(
    fc.record({
      operation: fc.constantFrom('divide', 'multiply'),
      conversion_factor: fc.constantFrom('1', '2', '2.5', '10', '25'),
      rounding: fc.constantFrom('none', 'ceiling', 'floor', 'half_up'),
      precision: fc.constantFrom(0, 1),
    }),
    { nil: undefined },
  ),
});
const running = fc.record({ terms, quantity: decimals(60, 1) });

/** As an invoice of the whole period reckons it, with nothing that is owed at its end only. */
function amountOf(terms: PricingTerms, quantity: Decimal): Decimal {
  const maximum_amount = terms.commitments?.maximum_amount;
  const soFar = { ...terms, commitments: maximum_amount === undefined ? undefined : { maximum_amount } };
  return new Decimal(rate({ name: 'line', currency: FINE, terms: soFar, quantity: quantity.toFixed() }).totals.total);
}

test('units left are the most of which each can be paid, as a walk of unit by unit finds', () => {
  fc.assert(
    fc.property(running, decimals(200, 2), ({ terms, quantity }, left) => {
      const used = new Decimal(quantity);
      const spent = amountOf(terms, used);
      expect(runningAmount({ terms, quantity })).toBe(spent.toFixed());
      let walked = 0;
      while (
        walked < FAR &&
        amountOf(terms, used.add(walked + 1))
          .sub(spent)
          .lte(left)
      )
        walked++;
      const { units } = unitsLeft([{ terms, quantity }], left);
      expect(units === undefined ? FAR : Decimal.min(units, FAR).toNumber()).toBe(walked);
    }),
    { numRuns: runs(300) },
  );
});

test('several prices of the same usage are never paid with more than is left, on no way to it', () => {
  fc.assert(
    fc.property(running, running, decimals(200, 2), (one, other, left) => {
      const quantity = one.quantity;
      const both = [one, { ...other, quantity }];
      const { units } = unitsLeft(both, left);
      const spent = (more: number) =>
        both.reduce((sum, { terms }) => sum.add(amountOf(terms, new Decimal(quantity).add(more))), new Decimal(0));
      for (let more = 1; more <= FAR && (units === undefined || new Decimal(units).gte(more)); more++) {
        expect(spent(more).sub(spent(0)).lte(left)).toBe(true);
      }
    }),
    { numRuns: runs(100) },
  );
});
