/** What a person may change on a draft. What is not changed stays as it is, and goes on following its charge. */

import { isDeepStrictEqual } from 'node:util';
import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { defined } from '../../platform/defined.ts';
import { mapInSlices } from '../../platform/in-slices.ts';
import type { Charge } from '../charges/index.ts';
import { type Invoice, type InvoiceLine, isMetered, type UpdateLine } from '../invoice-records/index.ts';
import type { InvoicesDeps } from './deps.ts';
import { addLine, changeLine } from './edit-line.ts';
import { invoiceProblem } from './errors.ts';
import type { Moving } from './lifecycle/moving.ts';
import { collectionAtMs } from './lifecycle/times.ts';
import type { UpdateInvoice } from './schema.ts';

/**
 * The invoice as the request wants it. Pure but for looking up features.
 * @returns `moving` itself when the request changes nothing @throws DomainProblem 400
 */
export async function editInvoice(
  deps: InvoicesDeps,
  scope: CustomerScope,
  moving: Moving,
  request: UpdateInvoice,
): Promise<Moving> {
  const { invoice } = moving;
  if (request.customer.id !== invoice.customerId) {
    throw invoiceProblem('invoice_cannot_be_edited', 'the customer cannot become another one', {
      field: 'customer.id',
    });
  }
  const edited =
    request.lines === undefined ? { lines: moving.lines } : await editLines(deps, scope, moving, request.lines);
  const head = editHead(invoice, request, edited.lines);
  const isSame = edited.lines === moving.lines && isDeepStrictEqual(withoutMissing(head), withoutMissing(invoice));
  return isSame ? moving : { ...moving, ...edited, invoice: head };
}

/** As it is stored: a setting that is not there is not one that is undefined. */
const withoutMissing = (invoice: Invoice): unknown => JSON.parse(JSON.stringify(invoice));

function editHead(invoice: Invoice, request: UpdateInvoice, lines: readonly InvoiceLine[]): Invoice {
  const { invoicing, payment } = request.workflow.workflow;
  const { description: _, labels: __, collectionAtMs: ___, ...rest } = invoice;
  const metered = lines.filter((line) => line.deletedAtMs === undefined && isMetered(line));
  const collectAtMs = collectionAtMs(
    metered.map(({ invoiceAtMs }) => invoiceAtMs),
    invoice.workflow.collection.interval,
  );
  const customer = defined(request.customer);
  return {
    ...rest,
    ...defined({ description: request.description, labels: request.labels, collectionAtMs: collectAtMs }),
    supplier: request.supplier,
    customer: { ...customer, key: customer.key ?? invoice.customer.key } as Invoice['customer'],
    workflow: {
      ...invoice.workflow,
      invoicing: { ...invoice.workflow.invoicing, ...invoicing },
      payment: payment ?? invoice.workflow.payment,
    },
  };
}

/** @returns the very array of the invoice when no line is touched; charges of lines that are new */
async function editLines(
  deps: InvoicesDeps,
  scope: CustomerScope,
  moving: Moving,
  wanted: readonly UpdateLine[],
): Promise<{ lines: InvoiceLine[]; newCharges?: Charge[] }> {
  const nowMs = scope.clock.nowMs();
  const asked = new Map<string, UpdateLine>();
  for (const [index, line] of wanted.entries()) {
    if (line.id === undefined) continue;
    if (asked.has(line.id)) throw invoiceProblem('invoice_line_twice', line.id, { field: `lines.${index}.id` });
    asked.set(line.id, line);
  }
  const living = new Set(moving.lines.filter((line) => line.deletedAtMs === undefined).map(({ id }) => id));
  for (const id of asked.keys()) {
    if (!living.has(id)) throw invoiceProblem('invoice_line_not_found', id);
  }
  const indexes = new Map(wanted.map((line, index) => [line, index]));
  const lines = await mapInSlices(moving.lines, (line) => {
    const change = asked.get(line.id);
    if (line.deletedAtMs !== undefined) return line;
    if (change === undefined) return droppedLine(line, nowMs);
    return changeLine(deps, scope, line, change, indexes.get(change) ?? 0);
  });
  const newCharges: Charge[] = [];
  for (const [index, request] of wanted.entries()) {
    if (request.id !== undefined) continue;
    const { line, charge } = await addLine(deps, scope, moving.invoice, lines.length, request, index);
    lines.push(line);
    newCharges.push(charge);
  }
  const isTouched = lines.some((line, index) => line !== moving.lines[index]);
  return isTouched ? { lines, newCharges } : { lines: moving.lines };
}

/** A line that a person takes off: what it is charged for is let off. */
export function droppedLine(line: InvoiceLine, atMs: number): InvoiceLine {
  return { ...line, deletedAtMs: atMs, removedBy: 'person', controller: 'manual' };
}
