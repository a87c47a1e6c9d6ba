/** When an invoice is collected, issued by itself, and due. Pure. Source: OpenMeter, openmeter/billing. */
import { largestOf } from '../../../platform/extremes.ts';
import {
  addDuration,
  boundaryIndexAt,
  boundaryMs,
  durationFrom,
  isBoundary,
  recurrence,
  truncateMs,
} from '../../../platform/period/index.ts';
import type { Workflow } from '../../billing-profiles/index.ts';

/** OpenMeter applies it where the contract leaves no room for a setting: invoices that are charged automatically. */
const DEFAULT_DUE_AFTER = 'P30D';

/**
 * When quantities may be taken: late events get the collection interval after the last metered line fell due.
 * @param meteredInvoiceAtMs when each metered line fell due
 * @returns undefined when nothing is metered: there is nothing to wait for
 */
export function collectionAtMs(meteredInvoiceAtMs: readonly number[], intervalText: string): number | undefined {
  if (meteredInvoiceAtMs.length === 0) return undefined;
  const interval = durationFrom(intervalText);
  return largestOf([...new Set(meteredInvoiceAtMs)].map((atMs) => addDuration(atMs, interval)));
}

/** When the draft is issued by itself; undefined when somebody has to approve it. */
export function draftUntilMs(
  createdAtMs: number,
  collectedAtMs: number | undefined,
  invoicing: Pick<Workflow['invoicing'], 'auto_advance' | 'draft_period'>,
): number | undefined {
  if (!invoicing.auto_advance) return undefined;
  return addDuration(Math.max(collectedAtMs ?? createdAtMs, createdAtMs), durationFrom(invoicing.draft_period));
}

/** When payment is due, in whole seconds: counted from the issue, so that nobody has less time than was agreed. */
export function dueAtMs(issuedMs: number, payment: Workflow['payment']): number {
  return truncateMs(addDuration(issuedMs, durationFrom(dueAfter(payment))), 1000);
}

export function dueAfter(payment: Workflow['payment']): string {
  return payment.collection_method === 'send_invoice' ? payment.due_after : DEFAULT_DUE_AFTER;
}

/**
 * When lines that fall due at an instant are put on an invoice: at once, or, with anchored alignment, at the first
 * anchor from then on.
 */
export function collectedAtMs(invoiceAtMs: number, alignment: Workflow['collection']['alignment']): number {
  if (alignment.type === 'subscription') return invoiceAtMs;
  const { anchor, interval } = alignment.recurring_period;
  const recurring = recurrence(Date.parse(anchor), durationFrom(interval));
  return isBoundary(recurring, invoiceAtMs)
    ? invoiceAtMs
    : boundaryMs(recurring, boundaryIndexAt(recurring, invoiceAtMs) + 1);
}
