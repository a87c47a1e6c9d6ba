import { Decimal, formatDecimal } from '../../backend/platform/decimal.ts';

/** What a customer had from an instant on, to the next of these. */
export interface Segment {
  fromMs: number;
  /** undefined: nothing, the customer had cancelled. */
  plan: number | undefined;
  /** How many of the add-on. */
  seats: number;
}

/** What one call costs by each plan, in USD. */
export const PRICES = [1, 2, 3];
/**
 * Fees of a month. Every hour of a month of 28, 30 or 31 days costs whole cents, so that no rounding hides a mistake.
 */
const HOURLY = new Decimal('3124.80');
export const FEES = [HOURLY, HOURLY.mul(2), HOURLY.mul(3)].map(formatDecimal);
export const SEAT_FEE = formatDecimal(HOURLY);

/** Ends of the months from the first of January. */
const MONTHS = [0, 1, 2, 3, 4, 5, 6].map((month) => Date.UTC(2026, month, 1));

/**
 * The definition: each event costs the price of the plan in force when it happened, each month of a fee the part of it
 * in which it was in force; months that begin by an instant are paid in advance.
 * @param events when each event happened
 */
export function naiveTotal(segments: readonly Segment[], events: readonly number[], untilMs: number): string {
  let total = new Decimal(0);
  for (const atMs of events) {
    const plan = segments.findLast(({ fromMs }) => fromMs <= atMs)?.plan;
    if (plan !== undefined) total = total.add(PRICES[plan] ?? 0);
  }
  for (const [index, { fromMs, plan, seats }] of segments.entries()) {
    if (plan === undefined) continue;
    const toMs = segments[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY;
    const fee = new Decimal(FEES[plan] ?? 0).add(HOURLY.mul(seats));
    for (const [month, from] of MONTHS.entries()) {
      const to = MONTHS[month + 1];
      if (to === undefined || from > untilMs) continue;
      const servedMs = Math.min(to, toMs) - Math.max(from, fromMs);
      if (servedMs > 0) total = total.add(fee.mul(servedMs).div(to - from));
    }
  }
  return formatDecimal(total.toDecimalPlaces(2));
}
