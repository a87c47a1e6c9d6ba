/**
 * The charges that a subscription asks for up to an instant. Pure, and repeatable: the same subscription gives the same
 * charges with the same references, so that what is stored can be compared with it at any time.
 */

import { chargesFee, feeOf, prorate } from '../../catalog/rating/index.ts';
import {
  billingPeriodWithin,
  linesOfCards,
  type SubscriptionLine,
  type SubscriptionView,
} from '../../customers/subscriptions/index.ts';
import { defined } from '../../platform/defined.ts';
import { forEachInSlices } from '../../platform/in-slices.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Currency } from '../../platform/money.ts';
import { addDuration, durationFrom, type Period, toTextPeriod } from '../../platform/period/index.ts';
import type { WantedCharge } from './types.ts';

export interface WantedOptions {
  /** Charges that fall due, or whose service begins, up to here. */
  untilMs: number;
  endProrationMode: 'bill_full_period' | 'bill_actual_period';
  /** Those of `currencyCodesOf`. */
  currencies: ReadonlyMap<string, Currency>;
}

/** The currencies that a subscription's charges may have. */
export function currencyCodesOf(view: SubscriptionView): ReadonlySet<string> {
  const items = view.phases.flatMap((phase) => phase.items);
  return new Set(items.map(({ rateCard }) => rateCard.currency ?? view.currency));
}

/** Free cards ask for nothing, neither do fees of which nothing is left after proration. */
export async function wantedCharges(view: SubscriptionView, options: WantedOptions): Promise<WantedCharge[]> {
  const { untilMs } = options;
  // Lines are asked for by when they fall due; a card that is billed once a year is used long before.
  const dueUntilMs = Math.max(
    untilMs,
    ...cadencesOf(view).map((cadence) => addDuration(untilMs, durationFrom(cadence))),
  );
  const wanted: WantedCharge[] = [];
  await forEachInSlices(linesOfCards(view, { untilMs: dueUntilMs }), (lines) =>
    forEachInSlices(lines, (line) => {
      const charge = isAskedFor(line, untilMs) ? chargeFor(view, line, options) : undefined;
      if (charge !== undefined) wanted.push(charge);
    }),
  );
  return wanted;
}

/** Whether a charge is one of those that are asked for up to an instant. */
export function isAskedFor(charge: { invoiceAtMs: number; servicePeriod: Period }, untilMs: number): boolean {
  return charge.invoiceAtMs <= untilMs || charge.servicePeriod.fromMs < untilMs;
}

/** The end of the billing period that is running: charges up to here are worth knowing. undefined: nothing is. */
export function horizonMs(view: SubscriptionView, nowMs: number): number | undefined {
  if (nowMs < view.fromMs) return undefined;
  if (view.toMs !== undefined && nowMs >= view.toMs) return view.toMs;
  const phase = view.phases.find(({ fromMs, toMs }) => fromMs <= nowMs && (toMs === undefined || nowMs < toMs));
  return phase && billingPeriodWithin(view, phase, nowMs)?.toMs;
}

function cadencesOf(view: SubscriptionView): string[] {
  const cadences = view.phases.flatMap((phase) => phase.items.map((item) => item.rateCard.billingCadence));
  return [...new Set([view.billingCadence, ...cadences.filter((cadence) => cadence !== undefined)])];
}

function chargeFor(view: SubscriptionView, line: SubscriptionLine, options: WantedOptions): WantedCharge | undefined {
  const { rateCard } = line.item;
  const { servicePeriod, fullServicePeriod, billingPeriod, invoiceAtMs } = line;
  const phase = view.phases.find(({ key }) => key === line.phaseKey);
  const currency = rateCard.currency ?? view.currency;
  const isFee = chargesFee(rateCard.terms.price);
  const amount = isFee ? amountOf(view, line, currency, options) : undefined;
  if (phase === undefined || (isFee && amount === undefined)) return undefined;
  return {
    reference: line.identity,
    currency,
    name: rateCard.name,
    subscription: { id: view.id, phaseId: phase.id, itemId: line.item.id },
    terms: rateCard.terms,
    settlementMode: view.settlementMode,
    prorationMode: view.proRatingEnabled ? 'prorate_prices' : 'no_proration',
    servicePeriod,
    fullServicePeriod,
    billingPeriod,
    invoiceAtMs,
    ...defined({
      description: rateCard.description,
      featureId: rateCard.featureId,
      featureKey: rateCard.featureId === undefined ? undefined : rateCard.key,
      taxConfig: rateCard.taxConfig,
      amount,
    }),
  };
}

/** What a flat fee owes for the line; undefined when that rounds to nothing. */
function amountOf(
  view: SubscriptionView,
  line: SubscriptionLine,
  currency: string,
  { endProrationMode, currencies }: WantedOptions,
): string | undefined {
  const fee = feeOf(line.item.rateCard.terms.price);
  if (fee === undefined) return undefined;
  const known = currencies.get(currency);
  if (known === undefined) throw new Error(`the digits of ${currency} are not known`);
  const { amount, isBillable } = prorate({
    amount: fee,
    currency: known,
    servicePeriod: toTextPeriod(line.servicePeriod),
    fullServicePeriod: toTextPeriod(line.fullServicePeriod),
    prorationEnabled: view.proRatingEnabled,
    subscriptionEndProrationMode: endProrationMode,
    subscriptionEndsAt: view.toMs === undefined ? undefined : formatInstant(view.toMs),
  });
  return isBillable ? amount : undefined;
}
