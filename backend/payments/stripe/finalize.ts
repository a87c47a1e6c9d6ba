/** Issues the invoice in Stripe, and takes over what Stripe gives it: number, taxes, payment. */
import type Stripe from 'stripe';
import { Decimal, formatDecimal } from '../../platform/decimal.ts';
import { AppRefused, type IssuedThere, TryLater } from '../outgoing/index.ts';
import { read, toAppError } from './client.ts';
import { answered, call, type StripeWork } from './draft.ts';
import { linesThere } from './lines.ts';
import { fromMinorUnits } from './money.ts';

/** Stripe takes no due date that has passed when the request arrives. */
const SOON_MS = 120_000;

export async function finalize(work: StripeWork): Promise<IssuedThere> {
  const id = work.invoice.externalInvoicingId;
  if (id === undefined) throw new AppRefused('app_no_draft', 'there is no draft in Stripe: retry');
  const there = await retrieve(work, id);
  if (there.status === 'draft') {
    checkTotal(work, there);
    await setDueDate(work, there);
    await finalizeThere(work, id);
  }
  const issued = await retrieve(work, id);
  if (issued.status === 'draft') throw new TryLater('the invoice is a draft in Stripe still');
  if (issued.status !== 'open' && issued.status !== 'paid') {
    throw new AppRefused('app_not_issued', `the invoice is ${issued.status} in Stripe: delete this one`);
  }
  return toIssued(work, issued);
}

async function retrieve(work: StripeWork, id: string): Promise<Stripe.Invoice> {
  const client = await work.client();
  return read(() => client.invoices.retrieve(id, { expand: ['payments'] }));
}

/** To the smallest unit, before anything is issued: nothing is evened out. */
function checkTotal(work: StripeWork, there: Stripe.Invoice): void {
  const wanted = linesThere(work.invoice, work.lines, work.taxCodeOf);
  const sum = wanted.reduce((total, { amount }) => total + amount, 0);
  if (there.subtotal === sum) return;
  const [ours, theirs] = [sum, there.subtotal].map((minor) => fromMinorUnits(minor, work.invoice.currency));
  throw new AppRefused(
    'app_totals_differ',
    `the invoice comes to ${ours} here and to ${theirs} in Stripe: its draft was changed there`,
  );
}

/** The day on which it is due is known when it is issued. */
async function setDueDate(work: StripeWork, there: Stripe.Invoice): Promise<void> {
  const { invoice, scope, journal } = work;
  if (invoice.workflow.payment.collection_method !== 'send_invoice' || invoice.dueAtMs === undefined) return;
  const isSoon = invoice.dueAtMs < scope.clock.nowMs() + SOON_MS;
  const request = isSoon ? { days_until_due: 0 } : { due_date: Math.floor(invoice.dueAtMs / 1000) };
  if (!isSoon && there.due_date === request.due_date) return;
  await journal.call('invoice.due', request, async (idempotencyKey) =>
    answered(await call(work, (client) => client.invoices.update(there.id, request, { idempotencyKey }))),
  );
}

async function finalizeThere(work: StripeWork, id: string): Promise<void> {
  const { journal, invoice } = work;
  const request = { auto_advance: true };
  const send = (name: string) =>
    journal.call(name, request, async (idempotencyKey) =>
      answered(await call(work, (client) => client.invoices.finalizeInvoice(id, request, { idempotencyKey }))),
    );
  try {
    await send('invoice.finalize');
  } catch (error) {
    if (!isTaxLocationMissing(error) || invoice.workflow.tax.enforced) throw error;
    const without = { automatic_tax: { enabled: false } };
    await journal.call('invoice.without_tax', without, async (idempotencyKey) =>
      answered(await call(work, (client) => client.invoices.update(id, without, { idempotencyKey }))),
    );
    await send('invoice.finalize.without_tax');
  }
}

function isTaxLocationMissing(error: unknown): boolean {
  return error instanceof AppRefused && (error.cause as { code?: string }).code === 'customer_tax_location_invalid';
}

function toIssued({ invoice }: StripeWork, issued: Stripe.Invoice): IssuedThere {
  const payment = issued.payments?.data.find(({ is_default }) => is_default)?.payment.payment_intent;
  const finalizedAt = issued.status_transitions.finalized_at;
  const isSent = issued.collection_method === 'send_invoice';
  const taxes = issued.total_taxes ?? [];
  const sumOf = (behavior: string) =>
    formatDecimal(
      taxes
        .filter(({ tax_behavior }) => tax_behavior === behavior)
        .reduce((sum, { amount }) => sum.add(fromMinorUnits(amount, invoice.currency)), new Decimal(0)),
    );
  return {
    ...(issued.number !== null && { number: issued.number }),
    ...(payment !== undefined && { externalPaymentId: typeof payment === 'string' ? payment : payment.id }),
    ...(isSent && finalizedAt !== null && { sentAtMs: finalizedAt * 1000 }),
    taxes: { exclusive: sumOf('exclusive'), inclusive: sumOf('inclusive') },
  };
}

/** What was deleted, voided or given up here becomes so there, as far as Stripe allows. */
export async function close(work: StripeWork, how: 'deleted' | 'voided' | 'uncollectible'): Promise<void> {
  const id = work.invoice.externalInvoicingId;
  if (id === undefined) return;
  const client = await work.client();
  let there: Stripe.Invoice;
  try {
    there = await client.invoices.retrieve(id);
  } catch (error) {
    const translated = toAppError(error);
    // It is gone already.
    if (translated instanceof AppRefused) return;
    throw translated;
  }
  const step = (
    name: string,
    run: (client: Stripe, idempotencyKey: string) => Promise<Stripe.Response<{ id: string }>>,
  ) => work.journal.call(name, { id }, async (key) => answered(await call(work, (own) => run(own, key))));
  const { status } = there;
  if (status === 'draft') {
    await step('invoice.delete', (own, idempotencyKey) => own.invoices.del(id, undefined, { idempotencyKey }));
  } else if (how === 'uncollectible') {
    if (status === 'open')
      await step('invoice.give_up', (own, idempotencyKey) =>
        own.invoices.markUncollectible(id, undefined, { idempotencyKey }),
      );
  } else if (status === 'open' || status === 'uncollectible') {
    await step('invoice.void', (own, idempotencyKey) => own.invoices.voidInvoice(id, undefined, { idempotencyKey }));
  }
}
