/** Charges as the module keeps them. Money and quantities are decimal texts. */

import type { PricingTerms } from '../../catalog/rating/index.ts';
import type { Period } from '../../platform/period/index.ts';

export type Labels = Readonly<Record<string, string>>;

export interface SubscriptionRef {
  id: string;
  phaseId: string;
  itemId: string;
}

export interface TaxRef {
  behavior?: 'inclusive' | 'exclusive';
  /** Charges may leave it out; lines have the organization's then. */
  taxCodeId?: string;
}

/** What one charge bills: the same whether it comes from a subscription or from a person. */
export interface ChargeContent {
  currency: string;
  name: string;
  description?: string;
  labels?: Labels;
  subscription?: SubscriptionRef;
  featureId?: string;
  featureKey?: string;
  /** What is agreed. A flat fee's amount is the whole one. */
  terms: PricingTerms;
  taxConfig?: TaxRef;
  settlementMode: 'credit_then_invoice' | 'credit_only';
  prorationMode: 'prorate_prices' | 'no_proration';
  /** Flat fees: what is owed for the service period. */
  amount?: string;
  /** In whole seconds. */
  servicePeriod: Period;
  fullServicePeriod: Period;
  billingPeriod: Period;
  invoiceAtMs: number;
}

/** A charge that subscriptions ask for. Its reference is the same each time that it is asked for. */
export interface WantedCharge extends ChargeContent {
  reference: string;
}

/** `open`: something is left to put on an invoice. `billed`: nothing is. `deleted`: no longer asked for. */
export type ChargeState = 'open' | 'billed' | 'deleted';

export interface Charge extends ChargeContent {
  id: string;
  customerId: string;
  /** Unique among the customer's charges. */
  reference?: string;
  controller: 'system' | 'manual';
  state: ChargeState;
  /** Up to where the service period stands on invoices; undefined: no part of it. */
  billedToMs?: number;
  /** When a person took it off its invoice, or deleted that: it is not asked for again. */
  droppedAtMs?: number;
  createdAtMs: number;
  updatedAtMs: number;
  deletedAtMs?: number;
}
