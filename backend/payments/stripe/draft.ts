/** Brings the draft in Stripe to what the invoice is. Looks first, and adds or takes away what differs: so it may be repeated at any time. */
import type Stripe from 'stripe';
import { AppRefused, GONE, type InvoiceWork, type SyncedDraft, TryLater } from '../outgoing/index.ts';
import { isMissing, read, toAppError } from './client.ts';
import { checkedCustomer, type StripeData } from './customers-there.ts';
import { fingerprint, type LineThere, linesThere } from './lines.ts';

export interface StripeWork extends InvoiceWork {
  /** Waits for its turn. */
  client(): Promise<Stripe>;
  data: StripeData | undefined;
  taxCodeOf(taxCodeId: string): string | undefined;
}

/** Stripe takes so many at a time. */
const BATCH = 100;
/** The metadata that tell whose a thing in Stripe is; OpenMeter's names, so that what reads them goes on. */
const OUR_INVOICE = 'om_invoice_id';
const OUR_LINE = 'om_line_id';
const OUR_LINE_TYPE = 'om_line_type';
const OUR_LINE_HASH = 'om_line_hash';

export async function upsertDraft(work: StripeWork): Promise<SyncedDraft> {
  const wanted = linesThere(work.invoice, work.lines, work.taxCodeOf);
  const { customer, paymentMethodId } = await checkedCustomer(await work.client(), work.invoice, work.data);
  const id = work.invoice.externalInvoicingId ?? (await createDraft(work, customer.id));
  await updateHead(work, await existingDraft(work, id), paymentMethodId);
  await matchLines(work, id, wanted);
  const there = await allLines(work, id);
  checkLines(there, wanted);
  return { externalId: id, lineIds: new Map(there.map((line) => [line.metadata[OUR_LINE] ?? '', line.id])) };
}

/** What never changes goes with the creation, so that its key stands for one invoice. */
async function createDraft(work: StripeWork, customerId: string): Promise<string> {
  const { invoice, journal } = work;
  const request = {
    customer: customerId,
    currency: invoice.currency.toLowerCase(),
    auto_advance: false,
    pending_invoice_items_behavior: 'exclude' as const,
    metadata: { [OUR_INVOICE]: invoice.id, om_customer_id: invoice.customerId, om_app_id: invoice.appId },
  };
  const gone = invoice.metadata[GONE];
  return journal.make(
    gone === undefined ? 'invoice.create' : `invoice.create.after.${gone}`,
    request,
    async (idempotencyKey) =>
      answered(await call(work, (client) => client.invoices.create(request, { idempotencyKey }))),
    () => findDraft(work, customerId, gone),
  );
}

/** Of those of the customer, which are listed at once, while a search may lag behind. */
async function findDraft(work: StripeWork, customer: string, gone: string | undefined): Promise<string | undefined> {
  const client = await work.client();
  return read(async () => {
    for await (const found of client.invoices.list({ customer, limit: BATCH })) {
      if (found.metadata?.[OUR_INVOICE] === work.invoice.id && found.id !== gone) return found.id;
    }
    return undefined;
  });
}

/** @throws AppRefused when somebody has deleted or finalized it in Stripe */
async function existingDraft(work: StripeWork, id: string): Promise<Stripe.Invoice> {
  const client = await work.client();
  let there: Stripe.Invoice;
  try {
    there = await client.invoices.retrieve(id);
  } catch (error) {
    if (!isMissing(error)) throw toAppError(error);
    throw new AppRefused('app_draft_gone', `the draft ${id} was deleted in Stripe: retry makes another one`, {
      gone: id,
    });
  }
  if (there.status === 'draft') return there;
  throw new AppRefused(
    'app_draft_finalized',
    `the draft ${id} is ${there.status} in Stripe already: void it there, then delete this one`,
  );
}

async function updateHead(work: StripeWork, there: Stripe.Invoice, paymentMethodId: string | undefined): Promise<void> {
  const { invoice, journal } = work;
  const { payment, tax } = invoice.workflow;
  const isSent = payment.collection_method === 'send_invoice';
  const request = {
    collection_method: payment.collection_method,
    automatic_tax: { enabled: tax.enabled },
    description: invoice.description ?? '',
    // The day itself is set when the invoice is issued; until then Stripe wants one.
    ...(isSent && { days_until_due: 30 }),
    ...(!isSent && paymentMethodId !== undefined && { default_payment_method: paymentMethodId }),
  };
  const isSame =
    there.collection_method === request.collection_method &&
    there.automatic_tax.enabled === tax.enabled &&
    (there.description ?? '') === request.description &&
    (isSent || paymentMethodId === undefined || there.default_payment_method === paymentMethodId);
  if (isSame) return;
  await journal.call('invoice.update', request, async (idempotencyKey) =>
    answered(await call(work, (client) => client.invoices.update(there.id, request, { idempotencyKey }))),
  );
}

async function matchLines(work: StripeWork, id: string, wanted: readonly LineThere[]): Promise<void> {
  const there = await allLines(work, id);
  const missing = new Map(wanted.map((line) => [keyOf(line), line]));
  const extra: string[] = [];
  for (const line of there) {
    const key = keyThere(line);
    if (key === undefined) {
      throw new AppRefused(
        'app_unknown_line',
        `the draft in Stripe has a line that is not ours: ${line.description ?? line.id}`,
      );
    }
    // The second of two is one too many.
    if (!missing.delete(key)) extra.push(line.id);
  }
  for (const batch of batches(extra)) await removeLines(work, id, batch);
  const [bulk, single] = [[...missing.values()].filter(isBulk), [...missing.values()].filter((line) => !isBulk(line))];
  for (const batch of batches(bulk)) await addLines(work, id, batch);
  for (const line of single) await addItem(work, id, line);
}

/** What is below zero and taxed has to be an item of its own: a price cannot be negative, and an amount has no tax code. */
function isBulk({ amount, tax }: LineThere): boolean {
  return tax === undefined || amount >= 0;
}

function batches<Item>(items: readonly Item[]): (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / BATCH) }, (_, at) => items.slice(at * BATCH, (at + 1) * BATCH));
}

async function removeLines(work: StripeWork, id: string, ids: readonly string[]): Promise<void> {
  const request = { lines: ids.map((line) => ({ id: line, behavior: 'delete' as const })) };
  await work.journal.call('lines.remove', request, async (idempotencyKey) =>
    answered(await call(work, (client) => client.invoices.removeLines(id, request, { idempotencyKey }))),
  );
}

async function addLines(work: StripeWork, id: string, lines: readonly LineThere[]): Promise<void> {
  const currency = work.invoice.currency.toLowerCase();
  const request = { lines: lines.map((line) => toLine(line, currency)) };
  await work.journal.call('lines.add', request, async (idempotencyKey) =>
    answered(await call(work, (client) => client.invoices.addLines(id, request, { idempotencyKey }))),
  );
}

function toLine(line: LineThere, currency: string): Stripe.InvoiceAddLinesParams.Line {
  const { description, period, amount, tax } = line;
  const common = { description, period, metadata: metadataOf(line) };
  if (tax === undefined) return { ...common, amount };
  const product_data = { name: description.slice(0, 250), ...(tax.code !== undefined && { tax_code: tax.code }) };
  const behavior = tax.behavior === undefined ? {} : { tax_behavior: tax.behavior };
  return { ...common, quantity: 1, price_data: { currency, unit_amount: amount, product_data, ...behavior } };
}

async function addItem(work: StripeWork, invoice: string, line: LineThere): Promise<void> {
  const { description, period, amount, tax } = line;
  const request = {
    invoice,
    customer: work.data?.customer_id ?? '',
    currency: work.invoice.currency.toLowerCase(),
    amount,
    description,
    period,
    metadata: metadataOf(line),
    ...(tax?.code !== undefined && { tax_code: tax.code }),
    ...(tax?.behavior !== undefined && { tax_behavior: tax.behavior }),
  };
  await work.journal.call('item.add', request, async (idempotencyKey) =>
    answered(await call(work, (client) => client.invoiceItems.create(request, { idempotencyKey }))),
  );
}

function metadataOf(line: LineThere): Record<string, string> {
  return { [OUR_LINE]: line.lineId, [OUR_LINE_TYPE]: line.type, [OUR_LINE_HASH]: fingerprint(line) };
}

const keyOf = (line: LineThere) => `${line.lineId}:${line.type}:${fingerprint(line)}`;

function keyThere({ metadata }: Stripe.InvoiceLineItem): string | undefined {
  const [id, type, hash] = [metadata[OUR_LINE], metadata[OUR_LINE_TYPE], metadata[OUR_LINE_HASH]];
  return id === undefined || type === undefined ? undefined : `${id}:${type}:${hash}`;
}

async function allLines(work: StripeWork, id: string): Promise<Stripe.InvoiceLineItem[]> {
  const client = await work.client();
  return read(async () => {
    const lines: Stripe.InvoiceLineItem[] = [];
    for await (const line of client.invoices.listLineItems(id, { limit: BATCH })) lines.push(line);
    return lines;
  });
}

/** Each line once, and their sum. What was added a moment ago and is not seen yet is looked for again. */
function checkLines(there: readonly Stripe.InvoiceLineItem[], wanted: readonly LineThere[]): void {
  const seen = there.map(keyThere).sort();
  const expected = wanted.map(keyOf).sort();
  const isSame = seen.length === expected.length && seen.every((key, at) => key === expected[at]);
  const sum = (lines: readonly { amount: number }[]) => lines.reduce((total, { amount }) => total + amount, 0);
  if (isSame && sum(there) === sum(wanted)) return;
  throw new TryLater('the lines in Stripe are not those of the invoice yet');
}

/** Runs a call that changes something. */
export async function call<Result>(
  work: Pick<StripeWork, 'client'>,
  send: (client: Stripe) => Promise<Stripe.Response<Result>>,
): Promise<Stripe.Response<Result>> {
  return send(await work.client());
}

/** What the journal notes of an answer. */
export function answered({ id, lastResponse }: Stripe.Response<{ id: string }>): { id: string; requestId?: string } {
  return { id, ...(lastResponse.requestId !== undefined && { requestId: lastResponse.requestId }) };
}
