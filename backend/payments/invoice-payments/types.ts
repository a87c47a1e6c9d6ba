/** Payments as they are stored. Money is decimal text. */

export const PAYMENT_STATES = [
  'created',
  'processing',
  'action_required',
  'succeeded',
  'failed',
  'canceled',
  'refunded',
  'partially_refunded',
  'disputed',
] as const;
export type PaymentState = (typeof PAYMENT_STATES)[number];

/** How it was paid. `sandbox` and `reported`: the app said that the invoice is paid, and nothing else. */
export const PAYMENT_METHODS = ['sandbox', 'reported', 'bank_transfer', 'card', 'cash', 'check', 'other'] as const;
export type PaymentMethod = (typeof PAYMENT_METHODS)[number];

export interface Payment {
  id: string;
  invoiceId: string;
  appId: string;
  /** In the system of the app. */
  externalId?: string;
  /** What whoever recorded it knows it by: once for each invoice. */
  reference?: string;
  amount: string;
  currency: string;
  state: PaymentState;
  method: PaymentMethod;
  note?: string;
  failure?: { code: string; message: string };
  paidAtMs: number;
  createdAtMs: number;
  updatedAtMs: number;
}

/** Something that happened to an invoice. */
export interface InvoiceEvent {
  id: string;
  invoiceId: string;
  kind: 'status' | 'payment' | 'app';
  /** A sentence for people, without a full stop. */
  text: string;
  /** The extended status that the invoice came to. */
  status?: string;
  paymentId?: string;
  atMs: number;
}
