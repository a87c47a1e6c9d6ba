import { currencyOf } from '../../billing/charges/index.ts';
import { type Invoice, invoiceRepository, transition } from '../../billing/invoice-records/index.ts';
import { type InvoicesDeps, invoiceNotFound, moveInvoice } from '../../billing/invoices/index.ts';
import { customerScope } from '../../customers/test-clocks/index.ts';
import { Decimal, formatDecimal } from '../../platform/decimal.ts';
import { defined } from '../../platform/defined.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import { formatInstant } from '../../platform/instant.ts';
import { isPayable } from '../../platform/money.ts';
import type { Scope } from '../../platform/scope.ts';
import { type Amounts, amountsOf } from './amounts.ts';
import { paymentProblem, paymentRecordedBefore } from './errors.ts';
import { paymentRepository } from './repository.ts';
import type { PaymentBody, PaymentPage, RecordPayment, Timeline } from './schema.ts';
import type { InvoiceEvent, Payment } from './types.ts';

export interface InvoicePayments {
  /** In the order in which they were recorded. @throws RequestProblem 404 */
  list(invoiceId: string, page: PageRequest): Promise<PaymentPage>;
  /**
   * Takes note of a payment; once nothing is left to pay, the invoice is paid.
   * @throws RequestProblem 404
   * @throws DomainProblem 400 with a code of `paymentProblem`, 409 when its reference was recorded before
   */
  record(invoiceId: string, request: RecordPayment): Promise<PaymentBody>;
  /** What happened to the invoice, the first first. @throws RequestProblem 404 */
  timeline(invoiceId: string, page: PageRequest): Promise<Timeline>;
}

export function createInvoicePayments(scope: Scope, deps: InvoicesDeps): InvoicePayments {
  return {
    list: async (invoiceId, page) => {
      const invoice = await existing(scope, invoiceId);
      const { payments, total } = await paymentRepository(scope).page(invoiceId, page);
      const amounts = amountsOf(invoice, await paymentRepository(scope).amounts(invoiceId, 'succeeded'));
      return { data: payments.map(toBody), meta: pageMeta(page, total), summary: toSummary(invoice, amounts) };
    },
    record: (invoiceId, request) =>
      scope.transaction(async (scope) => {
        const payment = await newPayment(deps, scope, await existing(scope, invoiceId), request);
        return toBody(payment);
      }),
    timeline: async (invoiceId, page) => {
      await existing(scope, invoiceId);
      const { events, total } = await paymentRepository(scope).events(invoiceId, page);
      return { data: events.map(toEventBody), meta: pageMeta(page, total) };
    },
  };
}

async function newPayment(deps: InvoicesDeps, root: Scope, invoice: Invoice, request: RecordPayment): Promise<Payment> {
  const scope = await customerScope(root, invoice.customerId);
  const payments = paymentRepository(scope);
  const nowMs = scope.clock.nowMs();
  if (transition(invoice.status, 'paid') === undefined) {
    throw paymentProblem('invoice_not_payable', `it is ${invoice.status}`, { attributes: { status: invoice.status } });
  }
  const { whyNoRecord } = deps.rails[invoice.appType];
  if (whyNoRecord !== undefined) throw paymentProblem('payment_not_recorded_here', whyNoRecord);
  const { reference } = request;
  const known = reference === undefined ? undefined : await payments.idByReference(invoice.id, reference);
  if (known !== undefined) throw paymentRecordedBefore(reference ?? '', known);
  const { due } = amountsOf(invoice, await payments.amounts(invoice.id, 'succeeded'));
  const amount = new Decimal(request.amount ?? due);
  if (amount.lte(0)) throw paymentProblem('payment_amount_not_positive');
  if (!isPayable(amount, await currencyOf(deps, invoice.currency, scope))) {
    throw paymentProblem('payment_amount_not_payable', `${formatDecimal(amount)} ${invoice.currency}`);
  }
  if (amount.gt(due)) throw paymentProblem('payment_exceeds_amount_due', `${due} ${invoice.currency}`);
  const paidAtMs = request.paid_at === undefined ? nowMs : Date.parse(request.paid_at);
  if (paidAtMs > nowMs) throw paymentProblem('payment_in_the_future');
  const payment: Payment = {
    id: scope.newId(),
    invoiceId: invoice.id,
    appId: invoice.appId,
    ...defined({ reference, note: request.note }),
    amount: formatDecimal(amount),
    currency: invoice.currency,
    state: 'succeeded',
    method: request.method,
    paidAtMs,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  await payments.insert(payment);
  await payments.insertEvent({
    id: scope.newId(),
    invoiceId: invoice.id,
    kind: 'payment',
    text: `Payment of ${payment.amount} ${payment.currency} recorded`,
    paymentId: payment.id,
    atMs: nowMs,
  });
  // Each payment makes a version of the invoice: two at once notice each other.
  await moveInvoice(deps, scope, invoice.id, amount.eq(due) ? { trigger: 'paid' } : {});
  return payment;
}

async function existing(scope: Scope, id: string): Promise<Invoice> {
  const invoice = await invoiceRepository(scope).byId(id);
  if (invoice === undefined) throw invoiceNotFound(id);
  return invoice;
}

function toSummary(invoice: Invoice, { total, paid, due, overpaid }: Amounts): PaymentPage['summary'] {
  return { currency: invoice.currency, total, amount_paid: paid, amount_due: due, amount_overpaid: overpaid };
}

function toBody(payment: Payment): PaymentBody {
  const { id, invoiceId, appId, externalId, reference, amount, currency, state, method, note, failure } = payment;
  return {
    id,
    invoice: { id: invoiceId },
    app: { id: appId },
    ...defined({ external_id: externalId, reference }),
    amount,
    currency,
    state,
    method,
    ...defined({ note, failure }),
    paid_at: formatInstant(payment.paidAtMs),
    created_at: formatInstant(payment.createdAtMs),
    updated_at: formatInstant(payment.updatedAtMs),
  };
}

function toEventBody({ id, atMs, kind, text, status, paymentId }: InvoiceEvent): Timeline['data'][number] {
  const payment = paymentId === undefined ? undefined : { id: paymentId };
  return { id, at: formatInstant(atMs), type: kind, text, ...defined({ status, payment }) };
}
