import type { UnitConfig } from '../../catalog/rating/index.ts';
import type { Scope } from '../../platform/scope.ts';
import { issueGrantOf } from './drafts.ts';
import { minuteOf } from './engine/balance.ts';
import { entitlementRepository } from './repository.ts';
import type { Entitlement, EntitlementTerms } from './types.ts';

/** What a rate card in force grants. */
export interface AgreedAccess {
  /** The subscription's item; the same as long as its rate card stays as it is. */
  readonly itemId: string;
  readonly featureId: string;
  readonly featureKey: string;
  readonly template:
    | { readonly type: 'boolean' }
    | { readonly type: 'static'; readonly configJson: string }
    | {
        readonly type: 'metered';
        readonly limit?: string;
        readonly isSoftLimit: boolean;
        readonly usagePeriod: string;
      };
  readonly unitConfig: UnitConfig | undefined;
  readonly fromMs: number;
  /** undefined: as long as the subscription lasts */
  readonly toMs: number | undefined;
  /** From when on its usage counts: the start of the phase, so that a change within one does not give usage for free. */
  readonly measureFromMs: number;
}

/** A subscription as entitlements see it. */
export interface AgreedSubscription {
  readonly id: string;
  readonly customerId: string;
  /** A boundary of every usage period. */
  readonly billingAnchorMs: number;
  /** What is granted now and later; what is missing ends. */
  readonly access: readonly AgreedAccess[];
}

/** Access that was agreed on and cannot be granted. */
export interface AccessConflict {
  readonly featureKey: string;
  readonly conflictingEntityId: string;
}

/**
 * Makes a customer's entitlements what a subscription says, within the transaction that changes it: new ones are
 * created, those whose end has moved are moved, and what is no longer agreed on ends now, or never begins. Balances of
 * those that stay are not touched.
 * @returns what cannot be granted, since the customer has an entitlement to the feature from elsewhere
 */
export async function followSubscription(
  subscription: AgreedSubscription,
  { scope, nowMs }: { scope: Scope; nowMs: number },
): Promise<AccessConflict[]> {
  const repository = entitlementRepository(scope);
  const existing = (await repository.ofSubscription(subscription.id)).filter((one) => one.deletedAtMs === undefined);
  const byItem = new Map(existing.map((one) => [one.source?.itemId ?? '', one]));
  const agreed = new Set(subscription.access.map(({ itemId }) => itemId));
  // First what ends: the entitlement that follows it begins at the same instant.
  for (const one of existing) {
    const stillAgreed = agreed.has(one.source?.itemId ?? '');
    if (!stillAgreed && (one.activeToMs ?? Infinity) > nowMs) {
      await repository.setActiveTo(one.id, Math.max(one.activeFromMs, nowMs), nowMs);
    }
  }
  for (const access of subscription.access) {
    const one = byItem.get(access.itemId);
    if (one !== undefined && one.activeToMs !== access.toMs) await repository.setActiveTo(one.id, access.toMs, nowMs);
  }
  const conflicts: AccessConflict[] = [];
  for (const access of subscription.access) {
    if (byItem.has(access.itemId) || (access.toMs !== undefined && access.toMs <= access.fromMs)) continue;
    const entitlement = draft(subscription, access, scope.newId(), nowMs);
    const { featureKey, fromMs, toMs } = access;
    const [conflict] = await repository.overlapping(subscription.customerId, featureKey, fromMs, toMs);
    if (conflict !== undefined) {
      conflicts.push({ featureKey: access.featureKey, conflictingEntityId: conflict.id });
      continue;
    }
    await repository.insert(entitlement);
    for (const grant of issueGrantOf(entitlement, scope.newId(), nowMs)) await repository.insertGrant(grant);
  }
  return conflicts;
}

function draft(subscription: AgreedSubscription, access: AgreedAccess, id: string, nowMs: number): Entitlement {
  return {
    id,
    customerId: subscription.customerId,
    featureId: access.featureId,
    featureKey: access.featureKey,
    terms: termsOf(subscription, access),
    labels: undefined,
    activeFromMs: access.fromMs,
    activeToMs: access.toMs,
    source: { subscriptionId: subscription.id, itemId: access.itemId },
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    deletedAtMs: undefined,
  };
}

function termsOf({ billingAnchorMs }: AgreedSubscription, access: AgreedAccess): EntitlementTerms {
  const { template, unitConfig, measureFromMs } = access;
  if (template.type !== 'metered') return template;
  return {
    type: 'metered',
    measuring: {
      isSoftLimit: template.isSoftLimit,
      preservesOverage: false,
      issue: template.limit === undefined ? undefined : { amount: template.limit, priority: 1 },
      usageInterval: template.usagePeriod,
      usageAnchorMs: minuteOf(billingAnchorMs),
      measureFromMs: minuteOf(measureFromMs),
      unitConfig,
    },
  };
}
