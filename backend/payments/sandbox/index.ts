import { type ExtendedStatus, type Invoice, transition } from '../../billing/invoice-records/index.ts';
import type { Rail } from '../../billing/invoices/index.ts';

/** Labels that let tests choose what the sandbox makes of a payment. */
const LABEL = 'sandbox-payment';
const PENDING = 'payment_processing.pending';
const OUTCOMES: Readonly<Record<string, ExtendedStatus | undefined>> = {
  failed: transition(PENDING, 'failed'),
  uncollectible: transition(PENDING, 'uncollectible'),
  action_required: transition(PENDING, 'action_required'),
  pending: PENDING,
};

/** Issues invoices and settles them at once, without sending anything to anybody. */
export const sandboxRail: Rail = {
  numberPrefix: 'OM-SANDBOX',
  whyNoTax: () => 'taxes are enforced, and the sandbox computes none',
  awaitsDraft: () => false,
  awaitsIssue: () => false,
  settle: ({ labels }: Invoice) => OUTCOMES[labels?.[LABEL] ?? ''] ?? transition(PENDING, 'paid'),
};
