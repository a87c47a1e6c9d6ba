import { unitsLeft } from '../../catalog/rating/index.ts';
import { Decimal, formatDecimal, ZERO } from '../../platform/decimal.ts';
import type { Charge } from '../charges/index.ts';
import { creditLeft, type LedgerRecords } from '../credits/index.ts';
import { asRunningCharge, type Running } from './running.ts';

/** What of a customer decides how much more may be used, read at one time. */
export interface CreditFacts {
  nowMs: number;
  running: readonly Running[];
  /** By currency, of all that is running. */
  ledgers: ReadonlyMap<string, LedgerRecords>;
}

/** What a customer can still use of a feature. */
export interface CreditLeft {
  currency: string;
  /** In the currency, not rounded; below zero where more was used than there was. */
  amount: string;
  /** Whole units of the meter; undefined: any number. */
  units: Decimal | undefined;
  nextUnitCost: string;
}

/**
 * What is left of features, when so much more is used of each than was counted.
 * @returns by the key of a feature; undefined where the customer has nothing to pay for it
 */
export function reckon(
  { nowMs, running, ledgers }: CreditFacts,
  leased: (featureKey: string) => Decimal,
): (featureKey: string) => CreditLeft | undefined {
  const moreOf = (charge: Charge) =>
    isRunningAt(charge, nowMs) && charge.featureKey !== undefined ? leased(charge.featureKey) : ZERO;
  const byCurrency = Map.groupBy(running, ({ charge }) => charge.currency);
  const left = new Map(
    Array.from(ledgers, ([currency, records]) => {
      const charges = (byCurrency.get(currency) ?? []).map((one) => asRunningCharge(one, moreOf(one.charge)));
      return [currency, creditLeft(records, nowMs, charges)];
    }),
  );
  return (featureKey) => {
    const priced = running.filter(({ charge }) => isOfFeature(charge, featureKey) && isRunningAt(charge, nowMs));
    const each = [...Map.groupBy(priced, ({ charge }) => charge.currency)].flatMap(([currency, own]) => {
      const found = left.get(currency)?.(featureKey);
      if (found === undefined) return [];
      const amount = formatDecimal(found);
      const usage = own.map(({ charge, used }) => ({
        terms: charge.terms,
        quantity: formatDecimal(used.add(moreOf(charge))),
      }));
      const { units, nextUnitCost } = unitsLeft(usage, amount);
      return [{ currency, amount, units: units === undefined ? undefined : new Decimal(units), nextUnitCost }];
    });
    // Priced in several currencies, it is paid in each of them.
    return each.reduce<CreditLeft | undefined>((least, one) => (isLess(one, least) ? one : least), undefined);
  };
}

/** Whether usage of now is charged by it. */
export function isRunningAt({ servicePeriod }: Charge, nowMs: number): boolean {
  return servicePeriod.fromMs <= nowMs && nowMs < servicePeriod.toMs;
}

export function isOfFeature({ amount, featureKey: own }: Charge, featureKey: string): boolean {
  return amount === undefined && own === featureKey;
}

function isLess(one: CreditLeft, than: CreditLeft | undefined): boolean {
  if (than === undefined) return true;
  return one.units !== undefined && (than.units === undefined || one.units.lt(than.units));
}
