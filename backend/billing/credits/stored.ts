import type { CreditLot } from './types.ts';

export type PaymentStatus = 'authorized' | 'settled';

/** What a grant is sold for. */
export interface Purchase {
  currency: string;
  /** Decimal text, in the currency of the purchase. */
  amount: string;
  perUnitCostBasis: string;
  /** What was reported of its payment, in order. */
  payments: { status: PaymentStatus; atMs: number }[];
  /** Bought by invoice: what it is charged with, and where that stands. */
  chargeId?: string;
  invoice?: { id: string; lineId: string };
}

/** A lot and what people call it. */
export interface StoredLot {
  kind: 'grant' | 'adjustment';
  customerId: string;
  currency: string;
  lot: CreditLot;
  name: string;
  description?: string;
  labels?: Record<string, string>;
  key?: string;
  purchase?: Purchase;
  taxConfig?: { behavior?: 'inclusive' | 'exclusive'; taxCodeId?: string };
  updatedAtMs: number;
}

/** What draws credit. */
export interface StoredRun {
  id: string;
  customerId: string;
  currency: string;
  name: string;
  description?: string;
  labels?: Readonly<Record<string, string>>;
  createdAtMs: number;
}
