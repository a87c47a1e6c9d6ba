import { expect, test } from 'vitest';
import { allocate, prorate } from '../../backend/catalog/rating/index.ts';
import { customCurrency } from '../../backend/platform/currencies.ts';
import { Decimal, formatDecimal } from '../../backend/platform/decimal.ts';
import { fc } from '../support/property.ts';
import { decimals, scaledText } from './rating-cards.ts';

const weightLists = fc
  .array(decimals(1000, 3), { minLength: 1, maxLength: 12 })
  .filter((list) => list.some((weight) => !new Decimal(weight).isZero()))
  .map((list) => list.map((weight, index) => ({ key: `w${index}`, weight })));
const currencies = fc.integer({ min: 0, max: 12 }).map((digits) => customCurrency('UNIT', digits));
const amountsIn = (digits: number) => fc.bigInt(0n, 10n ** 15n).map((units) => scaledText(units, digits));

test('an allocation sums up to the amount, and no share is a whole unit away from its proportion', () => {
  const cases = currencies.chain((currency) =>
    fc.tuple(fc.constant(currency), amountsIn(currency.digits), weightLists),
  );
  fc.assert(
    fc.property(cases, ([currency, amount, weights]) => {
      const shares = new Map(allocate(amount, weights, currency).map((share) => [share.key, share.amount]));
      expect(Decimal.sum(0, ...shares.values()).eq(amount)).toBe(true);
      const weightSum = Decimal.sum(0, ...weights.map(({ weight }) => weight));
      for (const { key, weight } of weights) {
        const exact = new Decimal(amount).mul(weight).div(weightSum);
        const unit = new Decimal(10).pow(-currency.digits);
        expect(
          exact
            .sub(shares.get(key) ?? '0')
            .abs()
            .lt(unit),
        ).toBe(true);
      }
    }),
    { numRuns: 5000 },
  );
});

test('a larger weight never gets less, and of equal ones the first gets no less', () => {
  fc.assert(
    fc.property(amountsIn(2), weightLists, (amount, weights) => {
      const currency = customCurrency('UNIT', 2);
      const shares = new Map(allocate(amount, weights, currency).map((share) => [share.key, share.amount]));
      const sorted = weights.toSorted((a, b) => new Decimal(b.weight).cmp(a.weight));
      const amounts = sorted.map(({ key }) => new Decimal(shares.get(key) ?? '0'));
      for (const [rank, share] of amounts.entries()) expect(share.lte(amounts[rank - 1] ?? share)).toBe(true);
    }),
    { numRuns: 5000 },
  );
});

test('two parts of a period owe the whole fee, up to a unit; a longer part never owes less', () => {
  const FROM_MS = Date.UTC(2026, 0, 1);
  const at = (seconds: number) => new Date(FROM_MS + seconds * 1000).toISOString();
  const length = 31 * 86_400;
  const cut = fc.integer({ min: 1, max: length - 1 });
  fc.assert(
    fc.property(currencies, decimals(10_000, 2), cut, cut, (currency, amount, a, b) => {
      const share = (from: number, to: number) =>
        new Decimal(
          prorate({
            amount,
            currency,
            servicePeriod: { from: at(from), to: at(to) },
            fullServicePeriod: { from: at(0), to: at(length) },
            prorationEnabled: true,
          }).amount,
        );
      const unit = new Decimal(10).pow(-currency.digits);
      const both = share(0, a).add(share(a, length));
      expect(both.sub(amount).abs().lte(unit), `${formatDecimal(both)} for ${amount}`).toBe(true);
      expect(share(0, Math.min(a, b)).lte(share(0, Math.max(a, b)))).toBe(true);
    }),
    { numRuns: 3000 },
  );
});
