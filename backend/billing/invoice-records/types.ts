/** Invoices and their lines as they are stored. Money and quantities are decimal texts. */

import type { PricingTerms, RatedLine, SplitPosition, Totals } from '../../catalog/rating/index.ts';
import type { Customer } from '../../customers/customers/index.ts';
import type { Period } from '../../platform/period/index.ts';
import type { App } from '../apps/index.ts';
import type {
  AdjustmentSettings,
  InvoiceDocumentSettings,
  InvoiceSupplier,
  Workflow,
} from '../billing-profiles/index.ts';
import type { Labels, SubscriptionRef, TaxRef } from '../charges/index.ts';
import type { CustomerTax, Tax, TaxGroup } from '../tax/index.ts';
import type { ExtendedStatus } from './states.ts';

/** What a person can set on a line in place of what it is charged for. */
export type LineField = 'name' | 'description' | 'labels' | 'price' | 'discounts' | 'tax' | 'feature' | 'period';

/** Noted field by field when a line is edited, never guessed afterwards: everything else follows the line's charge. */
export interface LineOverrides {
  fields: readonly LineField[];
  /** The flat price that a person set, and the service period that it is for: what is left of that owes a part of it. */
  fee?: { amount: string; for: Period };
  /** The charge is metered; the price that was set is not. Its usage is counted all the same, so that nobody bills it again. */
  isMetered?: true;
}

/** A line on a standard invoice, or one that a preview would put there. */
export interface InvoiceLine {
  id: string;
  invoiceId: string;
  /** Lines stand in the order of their positions. */
  position: number;
  kind: 'charge' | 'correction' | 'manual';
  chargeId?: string;
  adjustmentId?: string;
  /** `manual` as soon as somebody has edited it. */
  controller: 'system' | 'manual';
  overrides?: LineOverrides;
  /** Who took it off its invoice: a person lets the customer off, the system has its charge otherwise. */
  removedBy?: 'person' | 'system';
  name: string;
  description?: string;
  labels?: Labels;
  subscription?: SubscriptionRef;
  featureId?: string;
  featureKey?: string;
  /** Ready to be rated: a flat fee's amount is the prorated one. */
  terms: PricingTerms;
  taxConfig?: TaxRef;
  /** The tax on it; undefined: none is computed. */
  tax?: Tax;
  servicePeriod: Period;
  fullServicePeriod: Period;
  invoiceAtMs: number;
  splitPosition: SplitPosition;
  /** In the meter's unit; undefined until quantities are taken. */
  quantity?: string;
  /** What earlier parts of the full service period billed, deleted ones included. */
  previousQuantity: string;
  /** Net amount of the earlier parts that still exist. */
  previouslyBilledAmount: string;
  /** What of it was billed to reach the minimum; undefined: nothing. */
  previousMinimumAmount?: string;
  /** undefined until it is rated. */
  rated?: StoredRating;
  snapshottedAtMs?: number;
  /** Moment of the usage store at which the quantity was taken. */
  snapshot?: string;
  externalId?: string;
  createdAtMs: number;
  updatedAtMs: number;
  deletedAtMs?: number;
}

/** A rated line; each detailed line has an id that stays when it is rated again. */
export interface StoredRating extends Omit<RatedLine, 'detailedLines'> {
  detailedLines: readonly (RatedLine['detailedLines'][number] & { id: string; externalId?: string })[];
}

export interface ValidationIssue {
  code: string;
  message: string;
  severity: 'critical' | 'warning';
  field?: string;
  attributes?: Record<string, unknown>;
}

/** What an invoice copies of its customer when it is made. */
export type InvoiceCustomer = Pick<Customer, 'id' | 'key' | 'name' | 'usage_attribution' | 'billing_address'>;

export interface Invoice {
  id: string;
  customerId: string;
  currency: string;
  number: string;
  status: ExtendedStatus;
  /** Counts up with each change, so that two writers notice each other. */
  version: number;
  profileId: string;
  appId: string;
  appType: App['type'];
  supplier: InvoiceSupplier;
  customer: InvoiceCustomer;
  workflow: Workflow;
  adjustments: AdjustmentSettings;
  description?: string;
  labels?: Labels;
  /** Facts for and of the app, by key. */
  metadata: Readonly<Record<string, string>>;
  totals: Totals;
  /** By rate; undefined: no taxes are computed. */
  taxes?: readonly TaxGroup[];
  /** What the customer was for them. */
  customerTax?: CustomerTax;
  /** What its documents say besides, from its issue on. */
  document?: InvoiceDocumentSettings;
  servicePeriod: Period;
  issues: readonly ValidationIssue[];
  collectionAtMs?: number;
  draftUntilMs?: number;
  issuedAtMs?: number;
  dueAtMs?: number;
  snapshottedAtMs?: number;
  sentToCustomerAtMs?: number;
  externalInvoicingId?: string;
  externalPaymentId?: string;
  createdAtMs: number;
  updatedAtMs: number;
  deletedAtMs?: number;
}
