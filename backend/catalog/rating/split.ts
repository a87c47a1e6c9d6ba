import { parseInstant } from '../../platform/instant.ts';
import type { Period } from '../../platform/period/index.ts';
import { RatingError } from './errors.ts';
import { chargesFee, isPriceSplittable } from './models/index.ts';
import type { PricingTerms, SplitPosition, TextPeriod } from './types.ts';

/**
 * Whether a line may be billed in several parts of its period. Each price model says whether it can
 * be. Quantities that unit conversion rounds are excluded, too: they are rounded part by part, so two parts would
 * pay twice for the unit that they share. What cannot be split waits until its period ends.
 * @param aggregation whether what it says of a part of the period stands, whatever comes later
 * Source: OpenMeter openmeter/billing/rating (the exclusion of rounded conversions is ours).
 */
export function canSplit(terms: PricingTerms, aggregation: { readonly canSplit: boolean }): boolean {
  if (!isPriceSplittable(terms.price)) return false;
  if ((terms.unit_config?.rounding ?? 'none') !== 'none') return false;
  return aggregation.canSplit;
}

/**
 * Which part of its full period a line bills.
 * @throws RatingError `invalid_period` when the service period does not lie within the full one
 */
export function splitPosition(servicePeriod: TextPeriod, fullServicePeriod: TextPeriod): SplitPosition {
  const [from, to] = [instantOf(servicePeriod.from), instantOf(servicePeriod.to)];
  const [fullFrom, fullTo] = [instantOf(fullServicePeriod.from), instantOf(fullServicePeriod.to)];
  if (from < fullFrom || to > fullTo || from > to) {
    throw new RatingError('invalid_period', 'the service period does not lie within the full service period');
  }
  if (from === fullFrom) return to === fullTo ? 'single' : 'first';
  return to === fullTo ? 'last' : 'mid';
}

/** Whether the terms are a fee that is paid before its period; usage is not known in advance. */
export function isPaidInAdvance({ price, payment_term }: PricingTerms): boolean {
  return chargesFee(price) && payment_term === 'in_advance';
}

/**
 * When a line falls due: a fee in advance at the start of its billing period, everything else when both its service
 * period and its billing period are over. Source: OpenMeter openmeter/billing/worker/subscriptionsync.
 */
export function invoiceAtMs(terms: PricingTerms, servicePeriod: Period, billingPeriod: Period): number {
  if (isPaidInAdvance(terms)) return billingPeriod.fromMs;
  return servicePeriod.toMs > billingPeriod.toMs ? servicePeriod.toMs : billingPeriod.toMs;
}

function instantOf(text: string): number {
  const atMs = parseInstant(text);
  if (atMs === undefined) throw new RatingError('invalid_period', `no RFC 3339 instant: ${text}`);
  return atMs;
}
