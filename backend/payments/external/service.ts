/** What an external invoicing system reports. Source of the operations: OpenMeter, openmeter/app/custominvoicing. */

import {
  type ExtendedStatus,
  type Invoice,
  type InvoiceLine,
  invoiceRepository,
  transition,
} from '../../billing/invoice-records/index.ts';
import {
  DRAFT_SYNCED_AT,
  FINALIZED_AT,
  type InvoicesDeps,
  invoiceNotFound,
  invoiceProblem,
  type Moving,
  moveInvoice,
} from '../../billing/invoices/index.ts';
import { customerScope } from '../../customers/test-clocks/index.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import { type DraftSynchronized, type IssuingSynchronized, PAYMENT_TRIGGERS, type PaymentStatus } from './schema.ts';

export interface ExternalInvoicing {
  /**
   * The draft was taken over: it goes on. The same again changes nothing.
   * @throws RequestProblem 404 @throws DomainProblem 400 in another status
   */
  draftSynchronized(invoiceId: string, report: DraftSynchronized): Promise<void>;
  /** The invoice was finalized: it is issued. The same again changes nothing. @throws as above */
  issuingSynchronized(invoiceId: string, report: IssuingSynchronized): Promise<void>;
  /** What became of the payment. The same again changes nothing. @throws as above */
  paymentStatus(invoiceId: string, report: PaymentStatus): Promise<void>;
}

export function createExternalInvoicing(scope: Scope, deps: InvoicesDeps): ExternalInvoicing {
  return {
    draftSynchronized: (id, { invoicing }) =>
      report(deps, scope, id, DRAFT_REPORT, ({ invoice, lines, ...rest }) => ({
        ...rest,
        invoice: {
          ...invoice,
          ...(invoicing?.invoice_number !== undefined && { number: invoicing.invoice_number }),
          ...(invoicing?.external_id !== undefined && { externalInvoicingId: invoicing.external_id }),
        },
        lines: withExternalIds(lines, invoicing?.line_external_ids ?? []),
      })),
    issuingSynchronized: (id, { invoicing, payment }) => {
      const sentAt = invoicing?.sent_to_customer_at;
      return report(deps, scope, id, ISSUING_REPORT, ({ invoice, ...rest }) => ({
        ...rest,
        invoice: {
          ...invoice,
          ...(invoicing?.invoice_number !== undefined && { number: invoicing.invoice_number }),
          ...(sentAt !== undefined && { sentToCustomerAtMs: Date.parse(sentAt) }),
          ...(payment?.external_id !== undefined && { externalPaymentId: payment.external_id }),
        },
      }));
    },
    paymentStatus: async (id, report) => {
      const { invoice } = await external(scope, id);
      const trigger = PAYMENT_TRIGGERS[report.trigger];
      // Integrations report at least once: what is already so is no error.
      if (OUTCOMES[trigger]?.includes(invoice.status) && transition(invoice.status, trigger) === undefined) return;
      await moveInvoice(deps, scope, id, { trigger });
    },
  };
}

/** The status that each report ends in. */
const OUTCOMES: Partial<Record<string, readonly ExtendedStatus[]>> = {
  authorized: ['payment_processing.authorized'],
  paid: ['paid'],
  failed: ['payment_processing.failed'],
  uncollectible: ['uncollectible'],
  overdue: ['overdue'],
  action_required: ['payment_processing.action_required'],
  void: ['voided'],
};

async function external(root: Scope, id: string): Promise<{ invoice: Invoice; nowMs: number }> {
  const invoice = await invoiceRepository(root).byId(id);
  if (invoice === undefined) throw invoiceNotFound(id);
  if (invoice.appType !== 'external_invoicing') throw invoiceProblem('external_invoicing_only', id);
  const scope = await customerScope(root, invoice.customerId);
  return { invoice, nowMs: scope.clock.nowMs() };
}

/** A report that an invoice waits for, and the fact that says that it has come. */
interface AwaitedReport {
  action: string;
  status: ExtendedStatus;
  fact: string;
}
const DRAFT_REPORT: AwaitedReport = { action: 'draft synchronized', status: 'draft.syncing', fact: DRAFT_SYNCED_AT };
const ISSUING_REPORT: AwaitedReport = {
  action: 'issuing synchronized',
  status: 'issuing.syncing',
  fact: FINALIZED_AT,
};

/**
 * Takes a report and moves the invoice on. Integrations report at least once: one that has come before changes nothing,
 * wherever the invoice is by now, also when both come at the same time.
 */
async function report(
  deps: InvoicesDeps,
  scope: Scope,
  id: string,
  { action, status, fact }: AwaitedReport,
  change: (moving: Moving) => Moving,
): Promise<void> {
  const { invoice: found, nowMs } = await external(scope, id);
  if (found.metadata[fact] !== undefined) return;
  await moveInvoice(deps, scope, id, {
    change: (moving) => {
      const { invoice } = moving;
      if (invoice.metadata[fact] !== undefined) return moving;
      if (invoice.status !== status) {
        throw invoiceProblem('invoice_action_not_available', `${action} in ${invoice.status}`, {
          attributes: { status: invoice.status, action },
        });
      }
      const changed = change(moving);
      return { ...changed, invoice: withFact(changed.invoice, fact, nowMs) };
    },
  });
}

function withFact(invoice: Invoice, name: string, nowMs: number): Invoice {
  return { ...invoice, metadata: { ...invoice.metadata, [name]: formatInstant(nowMs) } };
}

function withExternalIds(
  lines: readonly InvoiceLine[],
  ids: readonly { line_id: string; external_id: string }[],
): InvoiceLine[] {
  const byLine = new Map(ids.map(({ line_id, external_id }) => [line_id, external_id]));
  return lines.map((line) => {
    const own = byLine.get(line.id);
    const detailedLines = line.rated?.detailedLines.map((detail) => {
      const externalId = byLine.get(detail.id);
      return externalId === undefined ? detail : { ...detail, externalId };
    });
    const isTouched = own !== undefined || line.rated?.detailedLines.some(({ id }) => byLine.has(id)) === true;
    if (!isTouched) return line;
    return {
      ...line,
      ...(own !== undefined && { externalId: own }),
      ...(line.rated !== undefined && detailedLines !== undefined && { rated: { ...line.rated, detailedLines } }),
    };
  });
}
