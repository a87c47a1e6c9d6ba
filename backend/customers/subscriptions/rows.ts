import { isPriced } from '../../catalog/product-catalog/index.ts';
import { defined } from '../../platform/defined.ts';
import { parseInstant, toStoredInstant } from '../../platform/instant.ts';
import type { PurchasedAddon, Subscription, SubscriptionItem } from './types.ts';

/** A row of the table `subscriptions`. */
export interface SubscriptionRow {
  id: string;
  customer_id: string;
  plan_id: string | null;
  plan_key: string | null;
  plan_version: number | null;
  name: string;
  description: string | null;
  labels: string | null;
  currency: string;
  invoice_currency: string;
  billing_cadence: string;
  billing_anchor: string;
  pro_rating_enabled: number;
  settlement_mode: string;
  cost_basis_mode: string;
  active_from: string;
  active_to: string | null;
  phases: string;
  previous_id: string | null;
  superseding_id: string | null;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

/** A row of the table `subscription_items`. */
export interface ItemRow {
  id: string;
  subscription_id: string;
  position: number;
  phase_key: string;
  item_key: string;
  version: number;
  billed_as: number;
  rate_card: string;
  feature_id: string | null;
  is_exclusive: number;
  active_from: string;
  active_to: string | null;
  is_removed: number;
}

/** A row of the table `subscription_addons`. */
export interface AddonRow {
  id: string;
  subscription_id: string;
  addon_id: string;
  name: string;
  description: string | null;
  labels: string | null;
  rate_cards: string;
  timeline: string;
  created_at: string;
  updated_at: string;
}

export function toSubscriptionRow(subscription: Subscription): SubscriptionRow {
  const { plan } = subscription;
  return {
    id: subscription.id,
    customer_id: subscription.customerId,
    plan_id: plan?.id ?? null,
    plan_key: plan?.key ?? null,
    plan_version: plan?.version ?? null,
    name: subscription.name,
    description: subscription.description ?? null,
    labels: toJson(subscription.labels),
    currency: subscription.currency,
    invoice_currency: subscription.invoiceCurrency,
    billing_cadence: subscription.billingCadence,
    billing_anchor: toStoredInstant(subscription.billingAnchorMs),
    pro_rating_enabled: subscription.proRatingEnabled ? 1 : 0,
    settlement_mode: subscription.settlementMode,
    cost_basis_mode: subscription.costBasisMode,
    active_from: toStoredInstant(subscription.activeFromMs),
    active_to: toText(subscription.activeToMs),
    phases: JSON.stringify(subscription.phases),
    previous_id: subscription.previousId ?? null,
    superseding_id: subscription.supersedingId ?? null,
    created_at: toStoredInstant(subscription.createdAtMs),
    updated_at: toStoredInstant(subscription.updatedAtMs),
    deleted_at: toText(subscription.deletedAtMs),
  };
}

export function fromRows(row: SubscriptionRow, items: readonly ItemRow[], addons: readonly AddonRow[]): Subscription {
  const { plan_id, plan_key, plan_version } = row;
  const plan =
    plan_id === null || plan_key === null || plan_version === null
      ? undefined
      : { id: plan_id, key: plan_key, version: plan_version };
  return {
    id: row.id,
    customerId: row.customer_id,
    name: row.name,
    ...defined({
      description: row.description,
      labels: fromJson<Subscription['labels']>(row.labels),
      plan,
      activeToMs: toMs(row.active_to),
      previousId: row.previous_id,
      supersedingId: row.superseding_id,
      deletedAtMs: toMs(row.deleted_at),
    }),
    currency: row.currency,
    invoiceCurrency: row.invoice_currency,
    billingCadence: row.billing_cadence,
    billingAnchorMs: instantMs(row.billing_anchor),
    proRatingEnabled: row.pro_rating_enabled === 1,
    settlementMode: row.settlement_mode as Subscription['settlementMode'],
    costBasisMode: row.cost_basis_mode as Subscription['costBasisMode'],
    activeFromMs: instantMs(row.active_from),
    phases: JSON.parse(row.phases) as Subscription['phases'],
    addons: addons.map(fromAddonRow),
    items: items.map(fromItemRow),
    createdAtMs: instantMs(row.created_at),
    updatedAtMs: instantMs(row.updated_at),
  };
}

export function toItemRow(subscriptionId: string, item: SubscriptionItem, position: number): ItemRow {
  const { rateCard } = item;
  return {
    id: item.id,
    subscription_id: subscriptionId,
    position,
    phase_key: item.phaseKey,
    item_key: item.itemKey,
    version: item.version,
    billed_as: item.billedAs,
    rate_card: JSON.stringify(rateCard),
    feature_id: rateCard.featureId ?? null,
    is_exclusive: isPriced(rateCard) || rateCard.entitlement !== undefined ? 1 : 0,
    active_from: toStoredInstant(item.fromMs),
    active_to: toText(item.toMs),
    is_removed: item.isRemoved ? 1 : 0,
  };
}

function fromItemRow(row: ItemRow): SubscriptionItem {
  return {
    id: row.id,
    phaseKey: row.phase_key,
    itemKey: row.item_key,
    version: row.version,
    billedAs: row.billed_as,
    rateCard: JSON.parse(row.rate_card) as SubscriptionItem['rateCard'],
    fromMs: instantMs(row.active_from),
    toMs: toMs(row.active_to),
    isRemoved: row.is_removed === 1,
  };
}

export function toAddonRow(subscriptionId: string, addon: PurchasedAddon): AddonRow {
  return {
    id: addon.id,
    subscription_id: subscriptionId,
    addon_id: addon.addonId,
    name: addon.name,
    description: addon.description ?? null,
    labels: toJson(addon.labels),
    rate_cards: JSON.stringify(addon.rateCards),
    timeline: JSON.stringify(addon.timeline),
    created_at: toStoredInstant(addon.createdAtMs),
    updated_at: toStoredInstant(addon.updatedAtMs),
  };
}

function fromAddonRow(row: AddonRow): PurchasedAddon {
  return {
    id: row.id,
    addonId: row.addon_id,
    name: row.name,
    ...defined({ description: row.description, labels: fromJson<PurchasedAddon['labels']>(row.labels) }),
    rateCards: JSON.parse(row.rate_cards) as PurchasedAddon['rateCards'],
    timeline: JSON.parse(row.timeline) as PurchasedAddon['timeline'],
    createdAtMs: instantMs(row.created_at),
    updatedAtMs: instantMs(row.updated_at),
  };
}

export function instantMs(text: string): number {
  return parseInstant(text) ?? Number.NaN;
}

export function toMs(text: string | null): number | undefined {
  return text === null ? undefined : instantMs(text);
}

function toText(atMs: number | undefined): string | null {
  return atMs === undefined ? null : toStoredInstant(atMs);
}

function toJson(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function fromJson<T>(text: string | null): T | undefined {
  return text === null ? undefined : (JSON.parse(text) as T);
}
