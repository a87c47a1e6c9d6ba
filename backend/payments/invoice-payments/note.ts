/** What other systems say of payments. Called inside a transaction. */
import type { Invoice } from '../../billing/invoice-records/index.ts';
import type { Scope } from '../../platform/scope.ts';
import { paymentRepository } from './repository.ts';
import type { InvoiceEvent, Payment } from './types.ts';

/** A payment, or an attempt at one, as it stands in another system. */
export type PaymentThere = Pick<Payment, 'amount' | 'state' | 'method' | 'failure'> & {
  externalId: string;
  atMs: number;
};

/** Takes over what was seen; each payment once, and again when it has changed. */
export async function notePayments(invoice: Invoice, seen: readonly PaymentThere[], scope: Scope): Promise<void> {
  const payments = paymentRepository(scope);
  const nowMs = scope.clock.nowMs();
  for (const { atMs, ...there } of seen) {
    const known = await payments.byExternalId(invoice.appId, there.externalId);
    if (known?.state === there.state && known.amount === there.amount) continue;
    const { id: invoiceId, appId, currency } = invoice;
    const payment: Payment = {
      ...there,
      id: known?.id ?? scope.newId(),
      invoiceId,
      appId,
      currency,
      paidAtMs: atMs,
      createdAtMs: known?.createdAtMs ?? nowMs,
      updatedAtMs: nowMs,
    };
    if (known === undefined) await payments.insert(payment);
    else await payments.replace(payment);
    await noteEvent(scope, invoiceId, { kind: 'payment', text: textOf(payment), paymentId: payment.id });
  }
}

/** A line of the timeline, now. */
export function noteEvent(
  scope: Scope,
  invoiceId: string,
  event: Pick<InvoiceEvent, 'kind' | 'text' | 'paymentId'>,
): Promise<void> {
  return paymentRepository(scope).insertEvent({ ...event, id: scope.newId(), invoiceId, atMs: scope.clock.nowMs() });
}

function textOf({ amount, currency, state, failure }: Payment): string {
  const text = `Payment of ${amount} ${currency}: ${state.replaceAll('_', ' ')}`;
  return failure === undefined || failure.message === '' ? text : `${text}, ${failure.message}`;
}
