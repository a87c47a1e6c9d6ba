import type { Decimal } from '../../platform/decimal.ts';

/** How a grant is paid: not at all, by an invoice of ours, or outside. */
export type Funding = 'none' | 'invoice' | 'external';

/** Credit that was granted at once and is drawn down together. What is left of it is the sum of its movements. */
export interface CreditLot {
  id: string;
  /** Order of creation. */
  seq: number;
  amount: Decimal;
  /** Lower ones pay first. */
  priority: number;
  /** Keys of the features that it pays for; none: for everything. */
  features: readonly string[];
  funding: Funding;
  /** What a credit was bought for, in the currency of the purchase; 1 where nobody said otherwise. */
  costBasis: Decimal;
  createdAtMs: number;
  effectiveAtMs: number;
  /** Exclusive: at that instant the rest is gone. */
  expiresAtMs?: number;
  /** When it was booked; absent: its invoice is not drafted yet. */
  fundedAtMs?: number;
  /** When its purchase was deleted before it was booked. */
  droppedAtMs?: number;
  voidedAtMs?: number;
}

/**
 * fund: credit comes to be. use, give_back: a run draws it, and less of it. cover: credit pays what was used in advance; two
 * movements, one of the lot and one of the advance. expire: the rest is gone; positive where usage before the expiry is
 * billed after it. void: taken away.
 */
export type MovementKind = 'fund' | 'use' | 'give_back' | 'cover' | 'expire' | 'void';

/** One step of the ledger; never changed and never removed. */
export interface CreditMovement {
  seq: number;
  kind: MovementKind;
  /** Absent: an advance, which is usage that no credit has paid for yet. */
  lotId?: string;
  /** The booking of one period of a charge. */
  runId?: string;
  /** Of the run: what credit may pay for it. */
  feature?: string;
  /** As it changes the balance: negative for usage. */
  amount: Decimal;
  /** The instant that it counts from. */
  bookedAtMs: number;
  /** The instant since which the ledger says so; never falls from one movement to the next. */
  knownAtMs: number;
  /** Why; the same reason books once. */
  reasonId: string;
}

/** What is known of the credits of one customer in one currency. */
export interface LedgerRecords {
  /** Decimals of the currency. */
  digits: number;
  lots: readonly CreditLot[];
  /** In the order of `seq`. */
  movements: readonly CreditMovement[];
}

/** credit_only: what credit does not pay is an advance. credit_then_invoice: it stands on the invoice. */
export type SettlementMode = 'credit_only' | 'credit_then_invoice';
