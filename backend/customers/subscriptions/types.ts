import type { Labels, RateCard, SettlementMode } from '../../catalog/plans/index.ts';
import type { OpenPeriod } from '../../platform/period/index.ts';

/** Told from the period and the instant, never stored. */
export type SubscriptionStatus = 'scheduled' | 'active' | 'canceled' | 'inactive';

export interface PlanRef {
  id: string;
  key: string;
  version: number;
}

/** A rate card that was agreed on, copied: what happens to its plan later does not touch it. */
export interface AgreedItem {
  rateCard: RateCard;
  /** undefined: from the start of its phase */
  fromMs?: number;
  /** undefined: to the end of its phase */
  toMs?: number;
}

/** A stretch of the subscription with its own rate cards. It ends where the next one begins. */
export interface SubscriptionPhase {
  id: string;
  /** Unique in the subscription. */
  key: string;
  name: string;
  description?: string;
  labels?: Labels;
  /** ISO 8601 duration from the start of the subscription to the phase's. */
  startAfter: string;
  items: readonly AgreedItem[];
  createdAtMs: number;
  updatedAtMs: number;
}

/** From `fromMs` on, the add-on counts `quantity` times; 0 is none. */
export interface AddonQuantity {
  fromMs: number;
  quantity: number;
}

/** An add-on that was bought, with all its quantities over time. */
export interface PurchasedAddon {
  id: string;
  addonId: string;
  name: string;
  description?: string;
  labels?: Labels;
  /** Copied from the add-on. */
  rateCards: readonly RateCard[];
  /** By time; at least one. */
  timeline: readonly AddonQuantity[];
  createdAtMs: number;
  updatedAtMs: number;
}

/**
 * A stretch of time in which one rate card is in force, add-ons included. Its version is given once and never to
 * another stretch of the same phase and key: invoices and entitlements know it by it.
 */
export interface SubscriptionItem extends OpenPeriod {
  id: string;
  phaseKey: string;
  /** The rate card's key. */
  itemKey: string;
  /** 0, 1, 2 … in the order in which they were made. */
  version: number;
  /**
   * The version that its lines are named after: an earlier one's where only access changed and the same fee runs on,
   * so that buying an add-on leaves the lines of what was there before as they are.
   */
  billedAs: number;
  rateCard: RateCard;
  /** No longer part of the subscription; kept, so that its version comes back should it return. */
  isRemoved: boolean;
}

/** What was agreed with a customer. Everything else, items included, follows from it. */
export interface Subscription {
  id: string;
  customerId: string;
  name: string;
  description?: string;
  labels?: Labels;
  /** undefined: a custom plan */
  plan?: PlanRef;
  /** Code of the currency of all prices that name no other; a custom one or a fiat one. */
  currency: string;
  /** ISO 4217 code of the currency that invoices are written in. */
  invoiceCurrency: string;
  /** ISO 8601 duration between invoices. */
  billingCadence: string;
  /** Every billing and service period is reckoned from this instant. */
  billingAnchorMs: number;
  proRatingEnabled: boolean;
  settlementMode: SettlementMode;
  costBasisMode: 'dynamic' | 'pinned';
  activeFromMs: number;
  activeToMs?: number;
  /** In the order of time. */
  phases: readonly SubscriptionPhase[];
  addons: readonly PurchasedAddon[];
  items: readonly SubscriptionItem[];
  /** The subscription that this one took over from, and the one that took over from it. */
  previousId?: string;
  supersedingId?: string;
  createdAtMs: number;
  updatedAtMs: number;
  deletedAtMs?: number;
}
