import type { DecisionSettings } from './config.ts';
import type { Counting } from './counting.ts';
import type { Known } from './knowledge.ts';
import type { Reason } from './schema.ts';

/** What becomes of a request. */
export interface Decision {
  readonly isAllowed: boolean;
  /** Why not. */
  readonly reason?: Reason;
  /** Units that the request counts for until its usage is known. */
  readonly units?: number;
  /** What headers tell: all of the period, what is left of it, and when it begins anew. */
  readonly limit?: { readonly total: number; readonly remaining: number; readonly resetsAtMs: number | undefined };
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
export interface Facts {
  readonly known: Known | undefined;
  /** Whether the last time that the backend was asked, it answered. */
  readonly isBackendUp: boolean;
  readonly counting: Counting;
  readonly nowMs: number;
  /** When it will be asked anew at the latest. */
  readonly syncRateMs: number;
}

/** The event that the metering plugin makes of each request. */
const REQUEST_EVENT = 'kong.api_request';

/** Decides about one request of a customer. */
export function decide(
  { known, isBackendUp, counting, nowMs, syncRateMs }: Facts,
  settings: DecisionSettings,
): Decision {
  // Not known yet is not unknown: a customer who pays must not be refused because this node has just started.
  if (known === undefined)
    return { ...byFailPolicy(settings, syncRateMs), asksAgain: true, isProvisional: isBackendUp };
  if (known.customer === undefined && nowMs - known.askedAtMs <= settings.maxStaleMs) {
    return settings.deniesUnknownCustomers ? denied('CUSTOMER_NOT_FOUND', { asksAgain: false }) : { isAllowed: true };
  }
  if (nowMs - known.askedAtMs > settings.maxStaleMs) return { ...byFailPolicy(settings, syncRateMs), asksAgain: true };
  const { hasAccess, reason, allowance } = known.access;
  const uncounted = allowance === undefined ? 0 : counting.uncounted(known, nowMs);
  const limit = allowance && {
    total: allowance.total,
    remaining: Math.max(0, allowance.balance - uncounted),
    resetsAtMs: allowance.resetsAtMs,
  };
  const hasBegunAnew = allowance?.resetsAtMs !== undefined && nowMs >= allowance.resetsAtMs;
  if (!hasAccess) {
    const retryAfterMs =
      reason === 'USAGE_LIMIT_REACHED' ? untilReset(allowance?.resetsAtMs, nowMs, syncRateMs) : undefined;
    return denied(reason ?? 'FEATURE_UNAVAILABLE', { limit, retryAfterMs, asksAgain: hasBegunAnew });
  }
  if (allowance === undefined) return { isAllowed: true };
  if (uncounted >= shareOf(allowance.balance, settings)) {
    // Here it is known that all is used up; the backend will say so, or that there is more, within moments.
    const refusal = denied('USAGE_LIMIT_REACHED', { limit, retryAfterMs: syncRateMs, asksAgain: true });
    return { ...refusal, isProvisional: counting.isAmbiguous(known, nowMs) };
  }
  const countsRequests = allowance.meter?.eventType === REQUEST_EVENT && allowance.meter.measure === 'count';
  const units = settings.unitsPerRequest ?? (countsRequests ? 1 : 0);
  return {
    isAllowed: true,
    units,
    ...(limit && { limit: { ...limit, remaining: Math.max(0, limit.remaining - units) } }),
  };
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
