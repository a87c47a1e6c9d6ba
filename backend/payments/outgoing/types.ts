/** Work in the system of an app, as it is stored. */

/** What a task is about: an invoice, whose state says what is to be done, or a customer. */
export type TaskKind = 'invoice' | 'collect' | 'customer';

export interface Task {
  /** Of the invoice or the customer. */
  subjectId: string;
  appId: string;
  kind: TaskKind;
  /** Counts up each time that something is asked for: what is done for an older one is not all that was asked for. */
  revision: number;
  /** In a row that could not be done. */
  attempts: number;
  content: Readonly<Record<string, string>>;
}

/** A call that changes something in the other system. */
export interface JournalRow {
  id: string;
  appId: string;
  subjectId: string;
  operation: string;
  attempt: number;
  idempotencyKey: string;
  requestHash: string;
  /** `planned`: it may have been sent, and what became of it is not known. */
  state: 'planned' | 'done' | 'failed';
  externalId?: string;
  httpStatus?: number;
  errorCode?: string;
  requestId?: string;
  plannedAtMs: number;
  answeredAtMs?: number;
}
