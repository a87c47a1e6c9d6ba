import type { App } from '../apps/index.ts';
import type { ExtendedStatus, Invoice, InvoiceCustomer } from '../invoice-records/index.ts';

/**
 * What the life of an invoice asks of the app that it goes out through. Pure: it is asked inside the transaction of a
 * step, so whoever has to call another system does it afterwards and comes back with what became of it.
 */
export interface Rail {
  /** Stands before the customer's part in the number of an issued invoice, unless the app has given one. */
  numberPrefix: string;
  /** Whether the app computes taxes itself: then rates of one's own are on nothing. */
  computesTaxes?: boolean;
  /** Why nobody can compute the taxes of a customer's invoices; undefined when somebody can. */
  whyNoTax(customer: Pick<InvoiceCustomer, 'billing_address'>): string | undefined;
  /** Whether the draft still has to be taken over. */
  awaitsDraft(invoice: Invoice, app: App | undefined): boolean;
  /** Whether the invoice still has to be finalized. */
  awaitsIssue(invoice: Invoice, app: App | undefined): boolean;
  /** What becomes of the payment at once; undefined: somebody tells it later. */
  settle(invoice: Invoice): ExtendedStatus | undefined;
  /** Why nobody records payments here; undefined: they do. */
  whyNoRecord?: string;
}

/** One for each type of app. */
export type Rails = Readonly<Record<App['type'], Rail>>;
