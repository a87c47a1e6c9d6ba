import { formatDecimal } from '../../platform/decimal.ts';
import { formatInstant } from '../../platform/instant.ts';
import { parseJsonText } from '../../platform/json.ts';
import { boundaryIndexAt, boundaryMs, durationFrom, recurrence } from '../../platform/period/index.ts';
import { type Access, amountsById, configOf } from './access.ts';
import type { Balance } from './engine/balance.ts';
import { currentPeriod, type Measured } from './measuring.ts';
import type { EntitlementBody, FeatureAccessBody, GrantBody } from './schema.ts';
import type { Entitlement, StoredGrant } from './types.ts';

/** An entitlement as the API shows it. @param measured undefined when it is not metered */
export function toEntitlementBody(
  entitlement: Entitlement,
  measured: Measured | undefined,
  atMs: number,
): EntitlementBody {
  const { terms, labels, activeToMs, deletedAtMs, source } = entitlement;
  return {
    id: entitlement.id,
    type: terms.type,
    customer: { id: entitlement.customerId },
    feature: { id: entitlement.featureId, key: entitlement.featureKey },
    ...(labels !== undefined && { labels: { ...labels } }),
    ...(terms.type === 'static' && { config: parseJsonText(terms.configJson) }),
    ...(measured !== undefined && measuringFields(measured, atMs)),
    ...(source !== undefined && { subscription: { id: source.subscriptionId } }),
    active_from: formatInstant(entitlement.activeFromMs),
    ...(activeToMs !== undefined && { active_to: formatInstant(activeToMs) }),
    created_at: formatInstant(entitlement.createdAtMs),
    updated_at: formatInstant(entitlement.updatedAtMs),
    ...(deletedAtMs !== undefined && { deleted_at: formatInstant(deletedAtMs) }),
  };
}

function measuringFields(measured: Measured, atMs: number): Partial<EntitlementBody> {
  const { measuring, allowance } = measured;
  const period = currentPeriod(measured, atMs);
  const anchorMs = allowance.periods.findLast(({ fromMs }) => fromMs <= atMs)?.recurrence.anchorMs;
  return {
    is_soft_limit: measuring.isSoftLimit,
    ...(measuring.issue !== undefined && { issue: { ...measuring.issue } }),
    preserve_overage_at_reset: measuring.preservesOverage,
    usage_period: {
      interval: measuring.usageInterval,
      anchor: formatInstant(anchorMs ?? measuring.usageAnchorMs),
    },
    current_usage_period: { from: formatInstant(period.fromMs), to: formatInstant(period.toMs) },
    last_reset: formatInstant(period.fromMs),
    measure_usage_from: formatInstant(measuring.measureFromMs),
  };
}

/** A grant as the API shows it. */
export function toGrantBody(grant: StoredGrant, atMs: number): GrantBody {
  const { expiresAfter, expiresAtMs, recurrence: recurring, labels, voidedAtMs } = grant;
  return {
    id: grant.id,
    entitlement_id: grant.entitlementId,
    amount: grant.amount,
    priority: grant.priority,
    effective_at: formatInstant(grant.effectiveAtMs),
    ...(expiresAfter !== undefined && { expires_after: expiresAfter }),
    ...(expiresAtMs !== undefined && { expires_at: formatInstant(expiresAtMs) }),
    max_rollover_amount: grant.maxRollover,
    min_rollover_amount: grant.minRollover,
    ...(recurring !== undefined && {
      recurrence: { interval: recurring.interval, anchor: formatInstant(recurring.anchorMs) },
      ...nextRecurrence(grant, atMs),
    }),
    ...(labels !== undefined && { labels: { ...labels } }),
    ...(voidedAtMs !== undefined && { voided_at: formatInstant(voidedAtMs) }),
    created_at: formatInstant(grant.createdAtMs),
    updated_at: formatInstant(grant.updatedAtMs),
  };
}

/** By its rule alone: also where the grant expires before. Source: OpenMeter, which tells it for each grant that recurs. */
function nextRecurrence(grant: StoredGrant, atMs: number): Pick<GrantBody, 'next_recurrence'> {
  if (grant.recurrence === undefined) return {};
  const recurring = recurrence(grant.recurrence.anchorMs, durationFrom(grant.recurrence.interval));
  const nextMs = boundaryMs(recurring, boundaryIndexAt(recurring, Math.max(atMs, grant.effectiveAtMs)) + 1);
  return { next_recurrence: formatInstant(nextMs) };
}

function toValueBody(balance: Balance): NonNullable<FeatureAccessBody['value']> {
  return {
    balance: formatDecimal(balance.balance),
    usage: formatDecimal(balance.usage),
    overage: formatDecimal(balance.overage),
    total_available_grant_amount: formatDecimal(balance.totalAvailableGrantAmount),
    grant_balances: amountsById(balance.grantBalances),
  };
}

/** Access to one feature. @param access undefined when there is no entitlement in force */
export function toAccessBody(featureKey: string, access: Access | undefined, withValue: boolean): FeatureAccessBody {
  if (access === undefined) return { feature_key: featureKey, has_access: false };
  const config = configOf(access.entitlement);
  return {
    feature_key: featureKey,
    has_access: access.hasAccess,
    type: access.entitlement.terms.type,
    ...(config !== undefined && { config }),
    ...(withValue && access.measured !== undefined && { value: toValueBody(access.measured) }),
  };
}
