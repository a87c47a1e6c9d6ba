/** Taxes of an invoice: rounded once for each rate, and shared out so that the lines come to the sum exactly. Pure. */
import type { Totals } from '../../catalog/rating/index.ts';
import { Decimal, formatDecimal, ZERO } from '../../platform/decimal.ts';
import { type Currency, roundMoney } from '../../platform/money.ts';
import type { Tax } from './choose.ts';

/** A row of an invoice's table of taxes. */
export interface TaxGroup extends Tax {
  /** What is taxed, without the tax. */
  base: string;
  amount: string;
}

/** One tax on what is priced with it, or without. */
interface Pot {
  tax: Tax;
  isInclusive: boolean;
  /** As priced: with the tax where that is included. */
  priced: Decimal;
  taxed: Decimal;
}

export interface TaxTally {
  /** @param totals of a detailed line @returns the same with its share of the tax */
  add(totals: Totals, tax: Tax | undefined, isInclusive: boolean): Totals;
  /** By rate, the highest first. */
  groups(): TaxGroup[];
}

/** Of what costs that much, as priced: amount + charges − discounts − credits. */
function pricedOf({ amount, chargesTotal, discountsTotal, creditsTotal }: Totals): Decimal {
  return new Decimal(amount).add(chargesTotal).sub(discountsTotal).sub(creditsTotal);
}

export function createTally(currency: Currency): TaxTally {
  const pots = new Map<string, Pot>();
  return {
    add: (totals, tax, isInclusive) => {
      const priced = pricedOf(totals);
      if (tax === undefined) return withTax(totals, priced, ZERO, isInclusive);
      const key = `${keyOf(tax)} ${isInclusive}`;
      const pot = pots.get(key) ?? { tax, isInclusive, priced: ZERO, taxed: ZERO };
      pots.set(key, pot);
      pot.priced = pot.priced.add(priced);
      const before = pot.taxed;
      // Parts of a whole: the tax so far less what the parts before have of it.
      pot.taxed = taxOn(pot, currency);
      return withTax(totals, priced, pot.taxed.sub(before), isInclusive);
    },
    groups: () => {
      const groups = new Map<string, { tax: Tax; base: Decimal; amount: Decimal }>();
      for (const { tax, isInclusive, priced, taxed } of pots.values()) {
        const group = groups.get(keyOf(tax)) ?? { tax, base: ZERO, amount: ZERO };
        const base = group.base.add(isInclusive ? priced.sub(taxed) : priced);
        groups.set(keyOf(tax), { tax, base, amount: group.amount.add(taxed) });
      }
      return [...groups.values()]
        .sort((a, b) => new Decimal(b.tax.percentage).cmp(a.tax.percentage))
        .map(({ tax, base, amount }) => ({ ...tax, base: formatDecimal(base), amount: formatDecimal(amount) }));
    },
  };
}

function keyOf({ category, percentage, name, reason }: Tax): string {
  return JSON.stringify([category, percentage, name, reason]);
}

function taxOn({ tax, isInclusive, priced }: Pot, currency: Currency): Decimal {
  const percentage = new Decimal(tax.percentage);
  const whole = isInclusive ? percentage.add(100) : 100;
  return roundMoney(priced.mul(percentage).div(whole), currency);
}

function withTax(totals: Totals, priced: Decimal, tax: Decimal, isInclusive: boolean): Totals {
  const text = formatDecimal(tax);
  return {
    ...totals,
    taxesTotal: text,
    taxesInclusiveTotal: isInclusive ? text : '0',
    taxesExclusiveTotal: isInclusive ? '0' : text,
    total: formatDecimal(isInclusive ? priced : priced.add(tax)),
  };
}
