import type { RateCard } from '../../catalog/plans/index.ts';
import type { OpenPeriod } from '../../platform/period/index.ts';
import { placePhases, statusAt } from './phases.ts';
import type { Subscription, SubscriptionItem, SubscriptionStatus } from './types.ts';

/** A rate card in force for a stretch of time. A key may have several at a time: add-ons' flat fees stand beside it. */
export interface ItemView extends OpenPeriod {
  id: string;
  itemKey: string;
  version: number;
  /** `{subscription}/{phase}/{item}/v[{version}]`: never given to anything else. */
  identity: string;
  /** What lines are named after: as `identity`, or that of an earlier version whose fee runs on unchanged. */
  lineIdentity: string;
  /** With everything that add-ons add, times their quantities. */
  rateCard: RateCard;
  featureId?: string;
}

export interface PhaseView extends OpenPeriod {
  id: string;
  key: string;
  name: string;
  items: readonly ItemView[];
}

/** A subscription as the modules above read it. Phases without length and items that are gone are left out. */
export interface SubscriptionView extends OpenPeriod {
  id: string;
  customerId: string;
  name: string;
  status: SubscriptionStatus;
  /** Code of the currency of prices that name no other. */
  currency: string;
  /** ISO 4217 code. */
  invoiceCurrency: string;
  /** ISO 8601 duration. */
  billingCadence: string;
  billingAnchorMs: number;
  proRatingEnabled: boolean;
  settlementMode: Subscription['settlementMode'];
  plan?: Subscription['plan'];
  phases: readonly PhaseView[];
}

/** @param atMs the customer's now, for the status */
export function subscriptionView(subscription: Subscription, atMs: number): SubscriptionView {
  const { id, customerId, name, currency, billingCadence, billingAnchorMs, proRatingEnabled, plan } = subscription;
  const phases = placePhases(subscription)
    .filter((phase) => phase.fromMs !== phase.toMs)
    .map(({ phase, fromMs, toMs }) => ({
      id: phase.id,
      key: phase.key,
      name: phase.name,
      fromMs,
      toMs,
      items: subscription.items
        .filter((item) => !item.isRemoved && item.phaseKey === phase.key)
        .map((item) => itemView(id, item)),
    }));
  return {
    id,
    customerId,
    name,
    status: statusAt(subscription, atMs),
    fromMs: subscription.activeFromMs,
    toMs: subscription.activeToMs,
    currency,
    invoiceCurrency: subscription.invoiceCurrency,
    billingCadence,
    billingAnchorMs,
    proRatingEnabled,
    settlementMode: subscription.settlementMode,
    ...(plan !== undefined && { plan }),
    phases,
  };
}

function itemView(subscriptionId: string, item: SubscriptionItem): ItemView {
  const { id, phaseKey, itemKey, version, billedAs, rateCard, fromMs, toMs } = item;
  const path = `${subscriptionId}/${phaseKey}/${itemKey}`;
  return {
    id,
    itemKey,
    version,
    identity: `${path}/v[${version}]`,
    lineIdentity: `${path}/v[${billedAs}]`,
    rateCard,
    ...(rateCard.featureId !== undefined && { featureId: rateCard.featureId }),
    fromMs,
    toMs,
  };
}
