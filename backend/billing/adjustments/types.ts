/** Adjustments of what was billed. Money and quantities are decimal texts. */

import type { Period } from '../../platform/period/index.ts';
import type { TaxRef } from '../charges/index.ts';

/** Why an amount is corrected after it was billed. */
export type AdjustmentReason =
  | 'late_usage'
  | 'voided_events'
  | 'lower_usage'
  | 'unused_time'
  | 'longer_time'
  | 'carried_over'
  | 'credit_used_twice'
  | 'credit_without_payment';

/**
 * `pending`: for the next invoice. `invoiced`: on one. `reported`: only listed. `paid_out`, `written_off`: settled without
 * an invoice. `withdrawn`: what it gave back is not billed any more.
 */
export type AdjustmentState = 'pending' | 'invoiced' | 'reported' | 'paid_out' | 'written_off' | 'withdrawn';

/** A difference to what was billed. */
export interface Adjustment {
  id: string;
  customerId: string;
  currency: string;
  /** What was billed wrongly by now; none for what is carried over. */
  chargeId?: string;
  reason: AdjustmentReason;
  name: string;
  description: string;
  /** Signed: negative gives back. */
  amount: string;
  /** Usage: what was billed and what it is now, in the meter's unit. */
  quantityBefore?: string;
  quantityAfter?: string;
  /** Usage that was billed in parts with prices of their own: what the new quantity is in each. */
  partsAfter?: readonly string[];
  period: Period;
  state: AdjustmentState;
  /** The adjustment that this one is the rest of. */
  originId?: string;
  /** A credit that was settled without an invoice: by whom it was decided is in the audit log. */
  settledAtMs?: number;
  note?: string;
  /** Usage: moment of the usage store up to which events had been counted before. */
  sinceSnapshot?: string;
  /** Usage: moment at which the new quantity was read. */
  snapshot?: string;
  /** That of what is corrected. */
  taxConfig?: TaxRef;
  lineId?: string;
  createdAtMs: number;
}
