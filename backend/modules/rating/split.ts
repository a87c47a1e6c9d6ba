import { formatDecimal } from '../../platform/decimal.ts';
import { parseInstant } from '../../platform/instant.ts';
import { RatingError } from './errors.ts';
import { readNumber } from './numbers.ts';
import type { Period, PricingTerms, SplitPosition } from './types.ts';

export type Aggregation = 'sum' | 'count' | 'avg' | 'min' | 'max' | 'unique_count' | 'latest';

/** Aggregations whose value from the start of a period can only be continued, not revised, by what comes later. */
const SPLITTABLE: ReadonlySet<Aggregation> = new Set(['sum', 'count', 'max', 'unique_count']);

/**
 * Whether a line may be billed in several parts of its period. Flat fees are one piece, a volume price needs the
 * total. Quantities that unit conversion rounds are excluded, too: they are rounded part by part, so two parts would
 * pay twice for the unit that they share. What cannot be split waits until its period ends.
 * Source: OpenMeter openmeter/billing/rating (the exclusion of rounded conversions is ours).
 */
export function canSplit(terms: PricingTerms, aggregation: Aggregation): boolean {
  const { type } = terms.price;
  if (type === 'free' || type === 'flat' || type === 'volume') return false;
  if ((terms.unit_config?.rounding ?? 'none') !== 'none') return false;
  return SPLITTABLE.has(aggregation);
}

/**
 * Which part of its full period a line bills.
 * @throws RatingError `invalid_period` when the service period does not lie within the full one
 */
export function splitPosition(servicePeriod: Period, fullServicePeriod: Period): SplitPosition {
  const [from, to] = [instantOf(servicePeriod.from), instantOf(servicePeriod.to)];
  const [fullFrom, fullTo] = [instantOf(fullServicePeriod.from), instantOf(fullServicePeriod.to)];
  if (from < fullFrom || to > fullTo || from > to) {
    throw new RatingError('invalid_period', 'the service period does not lie within the full service period');
  }
  if (from === fullFrom) return to === fullTo ? 'single' : 'first';
  return to === fullTo ? 'last' : 'mid';
}

/**
 * The quantities of a part of a period. Both values are metered from the start of the full period, which keeps tiers,
 * maxima and unique counts right.
 * @param valueAtStart from the start of the full period to the start of the part
 * @param valueAtEnd from the start of the full period to the end of the part
 */
export function splitQuantities(
  valueAtStart: string,
  valueAtEnd: string,
): { quantity: string; previousQuantity: string } {
  const start = readNumber(valueAtStart, 'valueAtStart');
  const end = readNumber(valueAtEnd, 'valueAtEnd');
  return { quantity: formatDecimal(end.sub(start)), previousQuantity: formatDecimal(start) };
}

/**
 * When a line falls due: a fee in advance at the start of its billing period, everything else when both its service
 * period and its billing period are over. Source: OpenMeter openmeter/billing/worker/subscriptionsync.
 * @returns the RFC 3339 text of the period's end or start, as it was given
 * @throws RatingError `invalid_period`
 */
export function invoiceAt(terms: PricingTerms, servicePeriod: Period, billingPeriod: Period): string {
  if (terms.price.type === 'flat' && terms.payment_term === 'in_advance') return billingPeriod.from;
  return instantOf(servicePeriod.to) > instantOf(billingPeriod.to) ? servicePeriod.to : billingPeriod.to;
}

function instantOf(text: string): number {
  const atMs = parseInstant(text);
  if (atMs === undefined) throw new RatingError('invalid_period', `no RFC 3339 instant: ${text}`);
  return atMs;
}
