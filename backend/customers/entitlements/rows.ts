import type { UnitConfig } from '../../catalog/rating/index.ts';
import { parseInstant, toStoredInstant } from '../../platform/instant.ts';
import type { Entitlement, EntitlementTerms, Reset, StoredGrant } from './types.ts';

export interface EntitlementRow {
  id: string;
  customer_id: string;
  feature_id: string;
  feature_key: string;
  type: string;
  config: string | null;
  is_soft_limit: number;
  preserves_overage: number;
  issue_amount: string | null;
  issue_priority: number | null;
  usage_interval: string | null;
  usage_anchor: string | null;
  measure_from: string | null;
  unit_config: string | null;
  labels: string | null;
  active_from: string;
  active_to: string | null;
  subscription_id: string | null;
  subscription_item_id: string | null;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

export interface GrantRow {
  id: string;
  entitlement_id: string;
  is_issue: number;
  amount: string;
  priority: number;
  effective_at: string;
  expires_after: string | null;
  expires_at: string | null;
  max_rollover: string;
  min_rollover: string;
  recurrence_interval: string | null;
  recurrence_anchor: string | null;
  labels: string | null;
  voided_at: string | null;
  created_at: string;
  updated_at: string;
}

export interface ResetRow {
  entitlement_id: string;
  effective_at: string;
  anchor: string;
  preserves_overage: number;
  created_at: string;
}

export function toEntitlementRow(entitlement: Entitlement): EntitlementRow {
  const { terms, source, labels } = entitlement;
  const measuring = terms.type === 'metered' ? terms.measuring : undefined;
  return {
    id: entitlement.id,
    customer_id: entitlement.customerId,
    feature_id: entitlement.featureId,
    feature_key: entitlement.featureKey,
    type: terms.type,
    config: terms.type === 'static' ? terms.configJson : null,
    is_soft_limit: measuring?.isSoftLimit === true ? 1 : 0,
    preserves_overage: measuring?.preservesOverage === true ? 1 : 0,
    issue_amount: measuring?.issue?.amount ?? null,
    issue_priority: measuring?.issue?.priority ?? null,
    usage_interval: measuring?.usageInterval ?? null,
    usage_anchor: storedOrNull(measuring?.usageAnchorMs),
    measure_from: storedOrNull(measuring?.measureFromMs),
    unit_config: measuring?.unitConfig === undefined ? null : JSON.stringify(measuring.unitConfig),
    labels: labels === undefined ? null : JSON.stringify(labels),
    active_from: toStoredInstant(entitlement.activeFromMs),
    active_to: storedOrNull(entitlement.activeToMs),
    subscription_id: source?.subscriptionId ?? null,
    subscription_item_id: source?.itemId ?? null,
    created_at: toStoredInstant(entitlement.createdAtMs),
    updated_at: toStoredInstant(entitlement.updatedAtMs),
    deleted_at: storedOrNull(entitlement.deletedAtMs),
  };
}

export function fromEntitlementRow(row: EntitlementRow): Entitlement {
  const { subscription_id: subscriptionId, subscription_item_id: itemId } = row;
  return {
    id: row.id,
    customerId: row.customer_id,
    featureId: row.feature_id,
    featureKey: row.feature_key,
    terms: termsOf(row),
    labels: labelsOf(row.labels),
    activeFromMs: instantOf(row.active_from),
    activeToMs: instantOrUndefined(row.active_to),
    source: subscriptionId === null || itemId === null ? undefined : { subscriptionId, itemId },
    createdAtMs: instantOf(row.created_at),
    updatedAtMs: instantOf(row.updated_at),
    deletedAtMs: instantOrUndefined(row.deleted_at),
  };
}

function termsOf(row: EntitlementRow): EntitlementTerms {
  switch (row.type) {
    case 'boolean':
      return { type: 'boolean' };
    case 'static':
      return { type: 'static', configJson: row.config ?? 'null' };
    default:
      return {
        type: 'metered',
        measuring: {
          isSoftLimit: row.is_soft_limit === 1,
          preservesOverage: row.preserves_overage === 1,
          issue:
            row.issue_amount === null ? undefined : { amount: row.issue_amount, priority: row.issue_priority ?? 1 },
          usageInterval: row.usage_interval ?? 'P1M',
          usageAnchorMs: instantOf(row.usage_anchor ?? row.active_from),
          measureFromMs: instantOf(row.measure_from ?? row.active_from),
          unitConfig: row.unit_config === null ? undefined : (JSON.parse(row.unit_config) as UnitConfig),
        },
      };
  }
}

export function toGrantRow(grant: StoredGrant): GrantRow {
  return {
    id: grant.id,
    entitlement_id: grant.entitlementId,
    is_issue: grant.isIssue ? 1 : 0,
    amount: grant.amount,
    priority: grant.priority,
    effective_at: toStoredInstant(grant.effectiveAtMs),
    expires_after: grant.expiresAfter ?? null,
    expires_at: storedOrNull(grant.expiresAtMs),
    max_rollover: grant.maxRollover,
    min_rollover: grant.minRollover,
    recurrence_interval: grant.recurrence?.interval ?? null,
    recurrence_anchor: storedOrNull(grant.recurrence?.anchorMs),
    labels: grant.labels === undefined ? null : JSON.stringify(grant.labels),
    voided_at: storedOrNull(grant.voidedAtMs),
    created_at: toStoredInstant(grant.createdAtMs),
    updated_at: toStoredInstant(grant.updatedAtMs),
  };
}

export function fromGrantRow(row: GrantRow): StoredGrant {
  const { recurrence_interval: interval, recurrence_anchor: anchor } = row;
  return {
    id: row.id,
    entitlementId: row.entitlement_id,
    isIssue: row.is_issue === 1,
    amount: row.amount,
    priority: row.priority,
    effectiveAtMs: instantOf(row.effective_at),
    expiresAfter: row.expires_after ?? undefined,
    expiresAtMs: instantOrUndefined(row.expires_at),
    maxRollover: row.max_rollover,
    minRollover: row.min_rollover,
    recurrence: interval === null || anchor === null ? undefined : { interval, anchorMs: instantOf(anchor) },
    labels: labelsOf(row.labels),
    voidedAtMs: instantOrUndefined(row.voided_at),
    createdAtMs: instantOf(row.created_at),
    updatedAtMs: instantOf(row.updated_at),
  };
}

export function toResetRow(reset: Reset): ResetRow {
  return {
    entitlement_id: reset.entitlementId,
    effective_at: toStoredInstant(reset.effectiveAtMs),
    anchor: toStoredInstant(reset.anchorMs),
    preserves_overage: reset.preservesOverage ? 1 : 0,
    created_at: toStoredInstant(reset.createdAtMs),
  };
}

export function fromResetRow(row: ResetRow): Reset {
  return {
    entitlementId: row.entitlement_id,
    effectiveAtMs: instantOf(row.effective_at),
    anchorMs: instantOf(row.anchor),
    preservesOverage: row.preserves_overage === 1,
    createdAtMs: instantOf(row.created_at),
  };
}

function instantOf(text: string): number {
  return parseInstant(text) ?? Number.NaN;
}

function instantOrUndefined(text: string | null): number | undefined {
  return text === null ? undefined : instantOf(text);
}

function storedOrNull(atMs: number | undefined): string | null {
  return atMs === undefined ? null : toStoredInstant(atMs);
}

function labelsOf(text: string | null): Readonly<Record<string, string>> | undefined {
  return text === null ? undefined : (JSON.parse(text) as Record<string, string>);
}
