import type { DecisionSettings } from './config.ts';
import type { Counting } from './counting.ts';
import { type CreditFacts, creditLimit, judgeCredit } from './credit.ts';
import type { Credit, Known, Limit } from './knowledge.ts';
import type { Reason } from './schema.ts';

/** What becomes of a request. */
export interface Decision {
  readonly isAllowed: boolean;
  /** Why not. */
  readonly reason?: Reason;
  /** Units that the request counts for until its usage is known. */
  readonly units?: number;
  /** What headers tell: all of the period, what is left of it, and when it begins anew. */
  readonly limit?: Limit;
  /** Milliseconds after which it may be worth while to try again. */
  readonly retryAfterMs?: number;
  /** What is known should be asked anew at once. */
  readonly asksAgain?: boolean;
  /**
   * An answer that is on its way may change it: nothing is known of the key yet, or what was delivered in the last moments
   * may have been counted here and by the backend. Worth a moment's wait.
   */
  readonly isProvisional?: boolean;
}

/** What decides, all of it at hand: a decision never waits. */
export interface Facts extends CreditFacts {
  readonly counting: Counting;
  /** When it will be asked anew at the latest. */
  readonly syncRateMs: number;
  /** Units that this request counts for, where more is known of it than what the settings say. */
  readonly units?: number | undefined;
}

/** The event that the metering plugin makes of each request. */
const REQUEST_EVENT = 'kong.api_request';

/** Decides about one request of a customer. */
export function decide(facts: Facts, settings: DecisionSettings): Decision {
  const { known, isBackendUp, nowMs, syncRateMs } = facts;
  // Not known yet is not unknown: a customer who pays must not be refused because this node has just started.
  if (known === undefined)
    return { ...byFailPolicy(settings, syncRateMs), asksAgain: true, isProvisional: isBackendUp };
  if (known.customer === undefined && nowMs - known.askedAtMs <= settings.maxStaleMs) {
    return settings.deniesUnknownCustomers ? denied('CUSTOMER_NOT_FOUND', { asksAgain: false }) : { isAllowed: true };
  }
  if (nowMs - known.askedAtMs > settings.maxStaleMs) return { ...byFailPolicy(settings, syncRateMs), asksAgain: true };
  return decideByKnown(facts, known, settings);
}

function decideByKnown(facts: Facts, known: Known, settings: DecisionSettings): Decision {
  const { counting, nowMs, syncRateMs } = facts;
  const { hasAccess, reason, allowance, credit, meter } = known.access;
  const isCounted = allowance !== undefined || credit !== undefined;
  const uncounted = isCounted ? counting.uncounted(known, nowMs) : 0;
  const limit = allowance && {
    total: allowance.total,
    remaining: Math.max(0, allowance.balance - uncounted),
    resetsAtMs: allowance.resetsAtMs,
  };
  const hasBegunAnew = allowance?.resetsAtMs !== undefined && nowMs >= allowance.resetsAtMs;
  // Credit is judged below, with what was let through since.
  if (!hasAccess && (reason !== 'NO_CREDIT_AVAILABLE' || credit === undefined)) {
    const retryAfterMs =
      reason === 'USAGE_LIMIT_REACHED' ? untilReset(allowance?.resetsAtMs, nowMs, syncRateMs) : undefined;
    return denied(reason ?? 'FEATURE_UNAVAILABLE', { limit, retryAfterMs, asksAgain: hasBegunAnew });
  }
  if (!isCounted) return { isAllowed: true };
  if (allowance !== undefined && uncounted >= shareOf(allowance.balance, settings)) {
    // Here it is known that all is used up; the backend will say so, or that there is more, within moments.
    const refusal = denied('USAGE_LIMIT_REACHED', { limit, retryAfterMs: syncRateMs, asksAgain: true });
    return { ...refusal, isProvisional: counting.isAmbiguous(known, nowMs) };
  }
  const countsRequests = meter?.eventType === REQUEST_EVENT && meter.measure === 'count';
  const units = facts.units ?? settings.unitsPerRequest ?? (countsRequests ? 1 : 0);
  const onCredit = credit && decideOnCredit(facts, credit, { units, uncounted }, settings);
  if (onCredit?.isAllowed === false || limit === undefined) return onCredit ?? { isAllowed: true, units };
  return { isAllowed: true, units, limit: { ...limit, remaining: Math.max(0, limit.remaining - units) } };
}

function decideOnCredit(
  facts: Facts,
  credit: Credit,
  { units, uncounted }: { units: number; uncounted: number },
  settings: DecisionSettings,
): Decision {
  const { known, isBackendUp, counting, nowMs, syncRateMs } = facts;
  const shareOfUnits = (left: number) => shareOf(left, settings);
  const verdict = judgeCredit(credit, facts, { units, uncounted, shareOf: shareOfUnits });
  if (verdict.isUnknown && !isBackendUp) return { ...byFailPolicy(settings, syncRateMs), asksAgain: true };
  if (verdict.lacking <= 0) {
    const limit = creditLimit(credit, verdict.remaining - units);
    return { isAllowed: true, units, ...(limit && { limit }) };
  }
  const limit = creditLimit(credit, verdict.remaining);
  const refusal = denied('NO_CREDIT_AVAILABLE', { limit, retryAfterMs: syncRateMs, asksAgain: true });
  const isAmbiguous = known !== undefined && counting.isAmbiguous(known, nowMs);
  return { ...refusal, units, isProvisional: verdict.mayGrow || isAmbiguous };
}

/**
 * What this node may let through before the backend has counted it: its share of what is left, or what it may overshoot by
 * where that is more, and never more than is left.
 */
export function shareOf(balance: number, { nodeCount, overshootPerNode }: DecisionSettings): number {
  const share = nodeCount === 1 ? balance : Math.ceil(balance / nodeCount);
  return Math.min(balance, Math.max(share, overshootPerNode));
}

function byFailPolicy({ failPolicy }: DecisionSettings, retryAfterMs: number): Decision {
  return failPolicy === 'allow'
    ? { isAllowed: true }
    : { isAllowed: false, reason: 'ENTITLEMENTS_UNKNOWN', retryAfterMs };
}

function denied(
  reason: Reason,
  {
    limit,
    retryAfterMs,
    asksAgain,
  }: { limit?: Decision['limit'] | undefined; retryAfterMs?: number | undefined; asksAgain: boolean },
): Decision {
  return {
    isAllowed: false,
    reason,
    asksAgain,
    ...(limit !== undefined && { limit: { ...limit, remaining: 0 } }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

function untilReset(resetsAtMs: number | undefined, nowMs: number, leastMs: number): number | undefined {
  return resetsAtMs === undefined ? undefined : Math.max(leastMs, resetsAtMs - nowMs);
}
