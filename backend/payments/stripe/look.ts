/** What became of an invoice in Stripe, and its payments. */
import type Stripe from 'stripe';
import type { SeenPayment, SeenThere } from '../outgoing/index.ts';
import { isMissing, read, toAppError, withoutSecrets } from './client.ts';
import { answered, call, type StripeWork } from './draft.ts';
import { fromMinorUnits } from './money.ts';

/** Attempts to be paid, of one invoice: Stripe makes eight at most by itself. */
const MAX_PAYMENTS = 100;

export async function look(work: StripeWork): Promise<SeenThere> {
  const id = work.invoice.externalInvoicingId;
  if (id === undefined) return { outcome: 'gone', payments: [] };
  const client = await work.client();
  let there: Stripe.Invoice;
  try {
    there = await client.invoices.retrieve(id);
  } catch (error) {
    if (isMissing(error)) return { outcome: 'gone', payments: [] };
    throw toAppError(error);
  }
  const expand = ['data.payment.payment_intent'];
  const own = await work.client();
  const { data } = await read(() => own.invoicePayments.list({ invoice: id, limit: MAX_PAYMENTS, expand }));
  // Stripe lists the newest first.
  const inOrder = [...data].sort((a, b) => a.created - b.created);
  const payments = inOrder.map((payment) => toPayment(payment, work.invoice.currency));
  return { outcome: outcomeOf(there, payments), payments };
}

const FINAL = ['paid', 'void', 'uncollectible'] as const;

function outcomeOf({ status }: Stripe.Invoice, payments: readonly SeenPayment[]): SeenThere['outcome'] {
  const final = FINAL.find((known) => known === status);
  if (final !== undefined) return final;
  const last = payments.at(-1)?.state;
  return last === 'failed' || last === 'action_required' ? last : 'waiting';
}

function toPayment(payment: Stripe.InvoicePayment, currency: string): SeenPayment {
  const { payment_intent } = payment.payment;
  const intent = typeof payment_intent === 'object' ? payment_intent : undefined;
  const error = intent?.last_payment_error ?? undefined;
  const state = stateOf(payment, intent);
  const paidAt = payment.status_transitions.paid_at;
  return {
    externalId: payment.id,
    amount: fromMinorUnits(payment.amount_paid ?? payment.amount_requested, currency),
    state,
    method: methodOf(intent),
    atMs: (paidAt ?? payment.created) * 1000,
    ...(state === 'failed' &&
      error !== undefined && {
        failure: { code: error.decline_code ?? error.code ?? error.type, message: withoutSecrets(error.message ?? '') },
      }),
  };
}

function stateOf({ status }: Stripe.InvoicePayment, intent: Stripe.PaymentIntent | undefined): SeenPayment['state'] {
  if (status === 'paid') return 'succeeded';
  if (status === 'canceled') return 'canceled';
  if (intent?.status === 'requires_action') return 'action_required';
  if (intent?.last_payment_error) return 'failed';
  return 'processing';
}

function methodOf(intent: Stripe.PaymentIntent | undefined): SeenPayment['method'] {
  const type = intent?.payment_method_types[0];
  if (type === 'card') return 'card';
  return type !== undefined && /debit|transfer|bank/.test(type) ? 'bank_transfer' : 'other';
}

/** Has Stripe try once more. That it was declined is told by what is seen afterwards. */
export async function collect(work: StripeWork): Promise<void> {
  const id = work.invoice.externalInvoicingId;
  if (id === undefined) return;
  const client = await work.client();
  const there = await read(() => client.invoices.retrieve(id));
  if (there.status !== 'open' || there.collection_method !== 'charge_automatically') return;
  const { journal } = work;
  await journal
    .call('invoice.pay', { id }, async (key) =>
      answered(await call(work, (own) => own.invoices.pay(id, undefined, { idempotencyKey: key }))),
    )
    .catch((error: unknown) => {
      if (!isDeclined(error)) throw error;
    });
}

function isDeclined(error: unknown): boolean {
  return error instanceof Error && (error.cause as { type?: string } | undefined)?.type === 'StripeCardError';
}
