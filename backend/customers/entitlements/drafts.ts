import { parseInstant } from '../../platform/instant.ts';
import { durationFrom, periodAt, recurrence } from '../../platform/period/index.ts';
import { minuteOf } from './engine/balance.ts';
import { expiryOf } from './engine/grant.ts';
import { invalidBody } from './errors.ts';
import type { CreateEntitlement, CreateGrant } from './schema.ts';
import type { Entitlement, EntitlementTerms, Measuring, StoredGrant } from './types.ts';

/** The terms that a request asks for. @param atMs when it is to begin @throws RequestProblem 400 */
export function termsOf(request: CreateEntitlement, atMs: number): EntitlementTerms {
  if (request.type === 'boolean') return { type: 'boolean' };
  if (request.type === 'static') return { type: 'static', configJson: JSON.stringify(request.config) };
  const { usage_period, measure_usage_from = 'now' } = request;
  const usageAnchorMs = minuteOf(instantOf(usage_period.anchor) ?? atMs);
  const amount = request.issue?.amount ?? request.issue_after_reset;
  const priority = request.issue?.priority ?? request.issue_after_reset_priority ?? 1;
  const measureFromMs = measureFrom(measure_usage_from, usageAnchorMs, usage_period.interval, atMs);
  if (measureFromMs > atMs) throw invalidBody('measure_usage_from', 'must not lie in the future');
  const measuring: Measuring = {
    isSoftLimit: request.is_soft_limit,
    preservesOverage: request.preserve_overage_at_reset,
    issue: amount === undefined ? undefined : { amount, priority },
    usageInterval: usage_period.interval,
    usageAnchorMs,
    measureFromMs,
    unitConfig: undefined,
  };
  return { type: 'metered', measuring };
}

function measureFrom(from: string, anchorMs: number, interval: string, atMs: number): number {
  if (from === 'now') return minuteOf(atMs);
  if (from === 'current_period_start') return periodAt(recurrence(anchorMs, durationFrom(interval)), atMs).fromMs;
  return minuteOf(instantOf(from) ?? atMs);
}

/** The grant that a request asks for. Times are cut to the minute. */
export function grantOf(
  request: CreateGrant,
  ids: { readonly id: string; readonly entitlementId: string },
  atMs: number,
): StoredGrant {
  const effectiveAtMs = minuteOf(instantOf(request.effective_at) ?? atMs);
  const { amount, expires_after: expiresAfter, recurrence: recurring } = request;
  return {
    ...ids,
    isIssue: false,
    amount,
    priority: request.priority ?? 1,
    effectiveAtMs,
    expiresAfter,
    expiresAtMs: expiresAfter === undefined ? undefined : expiryOf(effectiveAtMs, durationFrom(expiresAfter)),
    maxRollover: request.max_rollover_amount ?? amount,
    minRollover: request.min_rollover_amount ?? '0',
    recurrence: recurring && {
      interval: recurring.interval,
      anchorMs: minuteOf(instantOf(recurring.anchor) ?? effectiveAtMs),
    },
    labels: request.labels,
    voidedAtMs: undefined,
    createdAtMs: atMs,
    updatedAtMs: atMs,
  };
}

/**
 * The grant of an entitlement's own limit: each reset fills it up again and takes what was left. A limit of zero grants
 * nothing.
 */
export function issueGrantOf({ id: entitlementId, terms }: Entitlement, id: string, atMs: number): StoredGrant[] {
  if (terms.type !== 'metered' || terms.measuring.issue === undefined) return [];
  const { issue, measureFromMs } = terms.measuring;
  if (!/[1-9]/.test(issue.amount)) return [];
  return [
    {
      id,
      entitlementId,
      isIssue: true,
      amount: issue.amount,
      priority: issue.priority,
      effectiveAtMs: measureFromMs,
      expiresAfter: undefined,
      expiresAtMs: undefined,
      maxRollover: issue.amount,
      minRollover: issue.amount,
      recurrence: undefined,
      labels: undefined,
      voidedAtMs: undefined,
      createdAtMs: atMs,
      updatedAtMs: atMs,
    },
  ];
}

function instantOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseInstant(text);
}
