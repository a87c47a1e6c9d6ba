/** What an invoice's change asks of its app's other system, inside the transaction that stores it. */
import type { ExtendedStatus, Invoice } from '../../billing/invoice-records/index.ts';
import type { InvoiceChange } from '../../billing/invoices/index.ts';
import type { Scope } from '../../platform/scope.ts';
import { outgoingRepository } from './repository.ts';
import type { TaskKind } from './types.ts';

const ASKS: Partial<Record<ExtendedStatus, TaskKind>> = {
  'draft.syncing': 'invoice',
  'issuing.syncing': 'invoice',
  'payment_processing.pending': 'invoice',
  deleted: 'invoice',
  voided: 'invoice',
  uncollectible: 'invoice',
};

/** @param isRemote whether the app's invoices stand in another system as well */
export async function askForWork(
  { invoice, previous }: InvoiceChange,
  isRemote: (invoice: Invoice) => boolean,
  scope: Scope,
): Promise<void> {
  const kind = ASKS[invoice.status];
  if (kind === undefined || previous?.status === invoice.status || !isRemote(invoice)) return;
  const isRetry = kind === 'invoice' && previous !== undefined && isUnpaid(previous.status) && isPending(invoice);
  await outgoingRepository(scope).ask(
    { subjectId: invoice.id, appId: invoice.appId, kind: isRetry ? 'collect' : kind, content: {} },
    scope.clock.nowMs(),
  );
}

const isPending = ({ status }: Invoice) => status === 'payment_processing.pending';
const isUnpaid = (status: ExtendedStatus) =>
  status === 'overdue' || status === 'payment_processing.failed' || status === 'payment_processing.action_required';
