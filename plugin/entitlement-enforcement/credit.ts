import type { Credit, Known, Limit } from './knowledge.ts';

/** While what is left lasts for less than this at the present pace, it is asked for again and again … */
const NEARLY_EMPTY_S = 30;
/** … this often, as long as requests come. */
export const TIGHT_MS = 250;

/** What decides about credit. */
export interface CreditFacts {
  readonly known: Known | undefined;
  /** Whether the last time that the backend was asked, it answered. */
  readonly isBackendUp: boolean;
  readonly nowMs: number;
  /** What was leased and has not lapsed; `units` undefined: nothing. Undefined: credit is not leased. */
  readonly lease?: { readonly units: number | undefined } | undefined;
  /** What of a credit this node has let through of other features and the backend has not counted, in its currency. */
  readonly spentElsewhere?: ((credit: Credit) => number) | undefined;
}

/** How many more units a request would need than may be let through; 0 or less: it passes. */
export interface CreditVerdict {
  readonly lacking: number;
  readonly remaining: number;
  /** Nothing is known that decides: what was leased has lapsed, and the backend has not answered since. */
  readonly isUnknown: boolean;
  /** Whether a new answer may let it pass. */
  readonly mayGrow: boolean;
}

/**
 * Whether a request may be let through on credit: on a lease, where they are used, or else on what was left when it was last
 * asked for, without what this node has let through since, of this feature and of those that are paid by the same credit.
 * @param units that the request counts for until its usage is known; 0: that is not known at all
 * @param shareOf what of so many units this node may let through
 */
export function judgeCredit(
  credit: Credit,
  { lease, isBackendUp, spentElsewhere, nowMs, known }: CreditFacts,
  { units, uncounted, shareOf }: { units: number; uncounted: number; shareOf(left: number): number },
): CreditVerdict {
  // Of a request that may use anything it is only known that it uses something.
  const needed = units === 0 ? Number.MIN_VALUE : units;
  const isOld = known === undefined || nowMs - known.askedAtMs >= TIGHT_MS;
  if (lease !== undefined) {
    const { units: leased } = lease;
    const remaining = (leased ?? 0) - uncounted;
    const mayGrow = isBackendUp && (leased === undefined || isOld || credit.units !== 0);
    return { lacking: needed - remaining, remaining, isUnknown: leased === undefined, mayGrow };
  }
  if (credit.units === undefined) return { lacking: 0, remaining: Infinity, isUnknown: false, mayGrow: false };
  const elsewhere = spentElsewhere === undefined || credit.amount <= 0 ? 0 : spentElsewhere(credit) / credit.amount;
  const left = credit.units * Math.max(0, 1 - elsewhere);
  const remaining = shareOf(left) - uncounted;
  return { lacking: needed - remaining, remaining, isUnknown: false, mayGrow: false };
}

/** Whether what is known of credit is so little that it should be asked for again at once. */
export function isNearlyEmpty(credit: Credit, uncounted: number, pace: number): boolean {
  return credit.units !== undefined && credit.units - uncounted <= pace * NEARLY_EMPTY_S;
}

/** What a refusal for want of credit tells; the limit is what was there when it was last asked for. */
export function creditLimit({ units }: Credit, remaining: number): Limit | undefined {
  return units === undefined
    ? undefined
    : { total: Math.max(0, units), remaining: Math.max(0, remaining), resetsAtMs: undefined };
}
