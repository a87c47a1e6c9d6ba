/**
 * Usage up to the instants at which credit expires inside the period of a line: what was used before pays with that credit,
 * whenever it is billed.
 */
import { chargesUsage, type PricingTerms } from '../../catalog/rating/index.ts';
import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { Decimal } from '../../platform/decimal.ts';
import type { Currency } from '../../platform/money.ts';
import type { Charge } from '../charges/index.ts';
import { expiriesOf, type PayableRun } from '../credits/index.ts';
import {
  type InvoiceLine,
  isMissing,
  netOf,
  quantityOfPart,
  type RecordsDeps,
  rateLine,
  readUsages,
} from '../invoice-records/index.ts';

/** By what was asked for, its usage from the start of its full period up to each instant. */
export type Cuts = ReadonlyMap<string, readonly { atMs: number; value: string }[]>;

type Cut = Pick<
  InvoiceLine | Charge,
  'id' | 'name' | 'terms' | 'featureId' | 'featureKey' | 'servicePeriod' | 'fullServicePeriod'
>;

/** Usage is read, so it must not run in a transaction. */
export async function readCuts(
  deps: RecordsDeps,
  scope: CustomerScope,
  currency: string,
  all: readonly Cut[],
): Promise<Cuts> {
  const metered = all.filter(({ terms }) => chargesUsage(terms.price));
  if (metered.length === 0) return new Map();
  const nowMs = scope.clock.nowMs();
  const expiries = await expiriesOf(
    scope,
    currency,
    metered.map(({ featureKey }) => featureKey),
  );
  const asked = metered.flatMap(({ id, name, featureId, featureKey, servicePeriod, fullServicePeriod }) => {
    const toMs = Math.min(servicePeriod.toMs, nowMs);
    const inside = (expiries.get(featureKey) ?? []).filter((atMs) => servicePeriod.fromMs < atMs && atMs <= toMs);
    return inside.map((atMs) => ({ id, atMs, featureId, name, period: { ...fullServicePeriod, toMs: atMs } }));
  });
  const values = asked.length === 0 ? [] : await readUsages(deps, scope, scope.customerId, asked);
  const cuts = new Map<string, { atMs: number; value: string }[]>();
  for (const [index, { id, atMs }] of asked.entries()) {
    const value = values[index];
    if (value === undefined || isMissing(value)) continue;
    cuts.set(id, [...(cuts.get(id) ?? []), { atMs, value: value.value }]);
  }
  return cuts;
}

/** What a line had come to by each cut. */
export function cutTotals(
  line: Parameters<typeof rateLine>[0] & { id: string },
  cuts: Cuts,
  currency: Currency,
): PayableRun['cuts'] {
  return (cuts.get(line.id) ?? []).map(({ atMs, value }) => {
    const quantity = quantityOfPart(value, line.previousQuantity);
    const rated = rateLine({ ...line, terms: withoutMinimum(line.terms), quantity }, currency, () => '');
    return { atMs, total: new Decimal(netOf({ rated })) };
  });
}

/** A minimum is due at the end of its period only. */
export function withoutMinimum({ commitments, ...terms }: PricingTerms): PricingTerms {
  const maximum = commitments?.maximum_amount;
  return maximum === undefined ? terms : { ...terms, commitments: { maximum_amount: maximum } };
}
