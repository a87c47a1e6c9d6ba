import type { Decimal } from '../../../platform/decimal.ts';
import { addDuration, type Duration, type OpenPeriod, type Recurrence } from '../../../platform/period/index.ts';

/** Units of a feature that a customer may use. Instants are whole minutes, in milliseconds since the epoch. */
export interface Grant {
  readonly id: string;
  readonly amount: Decimal;
  /** 0..255; the lower one is used up first. */
  readonly priority: number;
  readonly effectiveAtMs: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | undefined;
  /** When it was voided, or taken away with its entitlement. */
  readonly endedAtMs: number | undefined;
  /** What a reset leaves of it: at most this … */
  readonly maxRollover: Decimal;
  /** … and at least this. */
  readonly minRollover: Decimal;
  /** When it is filled up to its amount again; nothing is added to what is left. */
  readonly recurrence: Recurrence | undefined;
}

/** When the grant can be used; [from, to). */
export function activityOf({ effectiveAtMs, expiresAtMs, endedAtMs }: Grant): OpenPeriod {
  const ends = [expiresAtMs, endedAtMs].filter((end) => end !== undefined);
  return { fromMs: effectiveAtMs, toMs: ends.length === 0 ? undefined : Math.min(...ends) };
}

/** Whether the grant can be used at the instant. One that ends when it begins never can. */
export function isActiveAt(grant: Grant, atMs: number): boolean {
  const { fromMs, toMs } = activityOf(grant);
  return atMs >= fromMs && (toMs === undefined || atMs < toMs);
}

/** The grants in the order in which they are used up: priority, then the earlier expiry, then the older one. */
export function inBurnDownOrder(grants: readonly Grant[]): readonly Grant[] {
  return grants.toSorted(
    (a, b) =>
      a.priority - b.priority ||
      compare(expirySeconds(a), expirySeconds(b)) ||
      a.createdAtMs - b.createdAtMs ||
      (a.id < b.id ? -1 : 1),
  );
}

/** Expiries count by the whole second: two grants of one order that expire milliseconds apart go by their age. */
function expirySeconds({ expiresAtMs }: Grant): number {
  return expiresAtMs === undefined ? Number.POSITIVE_INFINITY : Math.floor(expiresAtMs / 1000);
}

function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What a reset leaves of a balance. */
export function rolledOver({ minRollover, maxRollover }: Grant, balance: Decimal): Decimal {
  const atLeast = balance.greaterThan(minRollover) ? balance : minRollover;
  return atLeast.greaterThan(maxRollover) ? maxRollover : atLeast;
}

/** Whether what a reset leaves is the same whatever was used before. */
export function forgetsAtReset({ minRollover, maxRollover }: Grant): boolean {
  return minRollover.greaterThanOrEqualTo(maxRollover);
}

/**
 * When a grant of this length expires. Unlike a billing period, a month that has no such day runs over into the next
 * one: January 31 plus one month is March 2 or 3.
 */
export function expiryOf(effectiveAtMs: number, after: Duration): number {
  const { years, months, ...fixed } = after;
  const date = new Date(effectiveAtMs);
  date.setUTCFullYear(date.getUTCFullYear() + years, date.getUTCMonth() + months, date.getUTCDate());
  return addDuration(date.getTime(), { years: 0, months: 0, ...fixed });
}
