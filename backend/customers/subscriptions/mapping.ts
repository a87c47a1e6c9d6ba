import { fromRateCard, type RateCardBody } from '../../catalog/product-catalog/index.ts';
import { defined } from '../../platform/defined.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Period } from '../../platform/period/index.ts';
import { addonSegments, quantityShown } from './addon-timeline.ts';
import { billingPeriodAt } from './billing-period.ts';
import { type PlacedPhase, placePhases, statusAt } from './phases.ts';
import type { PurchasedAddon, Subscription, SubscriptionItem, SubscriptionStatus } from './types.ts';

interface Stretch {
  active_from: string;
  active_to?: string;
}

interface PhaseBody extends Stretch {
  id: string;
  name: string;
  key: string;
  created_at: string;
  updated_at: string;
  items: (Stretch & { id: string; rate_card: RateCardBody })[];
}

/** A subscription as answers carry it. */
export interface SubscriptionBody extends Stretch {
  id: string;
  name: string;
  created_at: string;
  updated_at: string;
  customer_id: string;
  invoice_currency: string;
  cost_basis_mode: Subscription['costBasisMode'];
  cost_basis_pins: never[];
  billing_cadence: string;
  billing_anchor: string;
  status: SubscriptionStatus;
  settlement_mode: Subscription['settlementMode'];
  pro_rating_config: { enabled: boolean; mode: 'no_proration' | 'prorate_prices' };
  phases: PhaseBody[];
  description?: string;
  labels?: Subscription['labels'];
  deleted_at?: string;
  plan_id?: string;
  plan?: Subscription['plan'];
  current_period?: { from: string; to: string };
}

/** @param atMs the customer's now */
export function toSubscriptionBody(subscription: Subscription, atMs: number): SubscriptionBody {
  const { plan, proRatingEnabled } = subscription;
  const status = statusAt(subscription, atMs);
  const isInForce = status === 'active' || status === 'canceled';
  return {
    id: subscription.id,
    name: subscription.name,
    ...defined({
      description: subscription.description,
      labels: subscription.labels,
      deleted_at: textOf(subscription.deletedAtMs),
      plan_id: plan?.id,
      plan,
      current_period: isInForce ? periodBody(billingPeriodAt(subscription, atMs)) : undefined,
    }),
    created_at: formatInstant(subscription.createdAtMs),
    updated_at: formatInstant(subscription.updatedAtMs),
    ...stretch(subscription.activeFromMs, subscription.activeToMs),
    customer_id: subscription.customerId,
    invoice_currency: subscription.invoiceCurrency,
    cost_basis_mode: subscription.costBasisMode,
    cost_basis_pins: [],
    billing_cadence: subscription.billingCadence,
    billing_anchor: formatInstant(subscription.billingAnchorMs),
    status,
    settlement_mode: subscription.settlementMode,
    pro_rating_config: { enabled: proRatingEnabled, mode: proRatingEnabled ? 'prorate_prices' : 'no_proration' },
    phases: placePhases(subscription).map((phase) => toPhaseBody(phase, subscription.items)),
  };
}

function toPhaseBody({ phase, fromMs, toMs }: PlacedPhase, items: readonly SubscriptionItem[]): PhaseBody {
  const own = items.filter((item) => item.phaseKey === phase.key && !item.isRemoved);
  return {
    id: phase.id,
    name: phase.name,
    ...defined({ description: phase.description, labels: phase.labels }),
    created_at: formatInstant(phase.createdAtMs),
    updated_at: formatInstant(phase.updatedAtMs),
    key: phase.key,
    ...stretch(fromMs, toMs),
    items: own.map((item) => ({
      id: item.id,
      ...stretch(item.fromMs, item.toMs),
      rate_card: fromRateCard(item.rateCard),
    })),
  };
}

/** A bought add-on as answers carry it. @param atMs the customer's now */
export function toAddonBody(subscription: Subscription, addon: PurchasedAddon, atMs: number) {
  const segments = addonSegments(addon, subscription.activeToMs);
  const shown = quantityShown(segments, atMs);
  const counting = segments.filter((segment) => segment.quantity > 0);
  const [first] = counting.length > 0 ? counting : segments;
  const last = counting.at(-1) ?? first;
  const touches = (item: SubscriptionItem) =>
    counting.some(
      (segment) =>
        item.fromMs < (segment.toMs ?? Number.POSITIVE_INFINITY) &&
        segment.fromMs < (item.toMs ?? Number.POSITIVE_INFINITY),
    );
  return {
    id: addon.id,
    name: addon.name,
    ...defined({ description: addon.description, labels: addon.labels }),
    created_at: formatInstant(addon.createdAtMs),
    updated_at: formatInstant(addon.updatedAtMs),
    addon: { id: addon.addonId },
    quantity: shown.quantity,
    quantity_at: formatInstant(shown.atMs),
    ...stretch(first?.fromMs ?? addon.createdAtMs, last?.toMs),
    timeline: segments.map((segment) => ({ ...stretch(segment.fromMs, segment.toMs), quantity: segment.quantity })),
    rate_cards: addon.rateCards.map((card) => ({
      rate_card: fromRateCard(card),
      affected_subscription_item_ids: subscription.items
        .filter((item) => !item.isRemoved && item.itemKey === card.key && touches(item))
        .map((item) => item.id),
    })),
  };
}

function stretch(fromMs: number, toMs: number | undefined): Stretch {
  return { active_from: formatInstant(fromMs), ...defined({ active_to: textOf(toMs) }) };
}

function periodBody(period: Period | undefined) {
  return period && { from: formatInstant(period.fromMs), to: formatInstant(period.toMs) };
}

function textOf(atMs: number | undefined): string | undefined {
  return atMs === undefined ? undefined : formatInstant(atMs);
}
