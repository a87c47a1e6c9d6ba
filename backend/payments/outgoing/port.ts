import type { Invoice, InvoiceLine } from '../../billing/invoice-records/index.ts';
import type { Scope } from '../../platform/scope.ts';
import type { Journal } from './journal.ts';
import type { Task } from './types.ts';

/** An invoice that is worked on in the system of its app. */
export interface InvoiceWork {
  invoice: Invoice;
  /** Living ones. */
  lines: readonly InvoiceLine[];
  journal: Journal;
  /** Outside of any transaction. */
  scope: Scope;
}

export interface SyncedDraft {
  externalId: string;
  /** Ids there, by the ids of lines and detailed lines here. */
  lineIds: ReadonlyMap<string, string>;
}

export interface IssuedThere {
  /** Replaces ours: no document has two. */
  number?: string;
  externalPaymentId?: string;
  sentAtMs?: number;
  /** What the app has added, as decimal text. */
  taxes?: { exclusive: string; inclusive: string };
}

/** What became of an invoice there. */
export interface SeenThere {
  outcome: 'waiting' | 'paid' | 'failed' | 'action_required' | 'uncollectible' | 'void' | 'gone';
  payments: readonly SeenPayment[];
}

export interface SeenPayment {
  externalId: string;
  amount: string;
  state: 'processing' | 'action_required' | 'succeeded' | 'failed' | 'canceled';
  method: 'card' | 'bank_transfer' | 'other';
  failure?: { code: string; message: string };
  atMs: number;
}

/**
 * An app whose invoices stand in another system as well. Each operation is safe to repeat, at any time and after being
 * killed at any point: it looks at what is there, and does what is missing.
 *
 * What goes wrong is thrown as TryLater, AppUnauthorized or AppRefused.
 */
export interface PaymentApp {
  /** Brings the draft there to what the invoice is, whose totals have to agree. */
  upsertDraft(work: InvoiceWork): Promise<SyncedDraft>;
  finalize(work: InvoiceWork): Promise<IssuedThere>;
  /** What was deleted, voided or given up here becomes so there. */
  close(work: InvoiceWork, how: 'deleted' | 'voided' | 'uncollectible'): Promise<void>;
  /** Tries once more to be paid. */
  collect(work: InvoiceWork): Promise<void>;
  fetch(work: InvoiceWork): Promise<SeenThere>;
  /** Work about a customer, as the app has asked for it. */
  followCustomer(task: Task, journal: Journal): Promise<void>;
  /** How often to look at an invoice that waits for its payment. */
  lookEveryMs: number;
}
