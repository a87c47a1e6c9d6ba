import type { FilterCondition } from '../../platform/http/filtering.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Sort, SortRules } from '../../platform/http/sorting.ts';
import { atCustomersTime, currencyOf } from '../charges/index.ts';
import {
  type Invoice,
  type InvoiceFilterField,
  type InvoiceSortField,
  invoiceRepository,
  isEditable,
  lineRepository,
  nextStatus,
  type Trigger,
} from '../invoice-records/index.ts';
import { type InvoiceBody, toInvoiceBody } from './body.ts';
import type { InvoicesDeps } from './deps.ts';
import { editInvoice } from './edit.ts';
import { invoiceDeleted, invoiceNotFound, invoiceProblem } from './errors.ts';
import { moveInvoice } from './lifecycle/advance.ts';
import type { Moving } from './lifecycle/collect.ts';
import { factsOf, hasLiving } from './lifecycle/facts.ts';
import type { UpdateInvoice } from './schema.ts';

export const INVOICE_SORT: SortRules<InvoiceSortField> = {
  fields: ['created_at', 'issued_at', 'service_period_start'],
  default: 'created_at',
  defaultDirection: 'asc',
};

export type InvoiceAnswer = InvoiceBody;

export interface InvoicesService {
  /** Without lines; deleted invoices and those in the making are left out. */
  list(
    filters: readonly FilterCondition<InvoiceFilterField>[],
    sort: Sort<InvoiceSortField>,
    page: PageRequest,
  ): Promise<{ data: InvoiceAnswer[]; meta: ReturnType<typeof pageMeta> }>;
  /** Deleted invoices are found too; they carry `deleted_at`. @throws RequestProblem 404 */
  get(id: string): Promise<InvoiceAnswer>;
  /** @throws RequestProblem 404 @throws DomainProblem 400 unless it is an editable draft, 409 when it was deleted */
  update(id: string, request: UpdateInvoice): Promise<InvoiceAnswer>;
  /**
   * Draft and issuing invoices only; what stood on it is not billed again. @throws RequestProblem 404, also when it was
   * deleted before @throws DomainProblem 400
   */
  remove(id: string): Promise<void>;
  /** Takes the automatic steps that are possible. @throws DomainProblem 400 when there is none */
  advance(id: string): Promise<InvoiceAnswer>;
  /** @throws DomainProblem 400 when the status does not allow it */
  trigger(id: string, trigger: Exclude<Trigger, 'next' | 'update' | 'delete'>): Promise<InvoiceAnswer>;
}

/** Standard invoices as the API has them. */
export function createInvoicesService(deps: InvoicesDeps): InvoicesService {
  const { db } = deps;
  const answer = async (invoice: Invoice): Promise<InvoiceAnswer> => {
    const lines = await lineRepository(db).ofInvoice(invoice.id);
    return toInvoiceBody(invoice, lines, await factsNow(deps, invoice, hasLiving(lines)));
  };
  return {
    list: async (filters, sort, page) => {
      const { invoices, total } = await invoiceRepository(db).page(filters, sort, page);
      const living = await lineRepository(db).invoicesWithLiving(invoices.map(({ id }) => id));
      const data: InvoiceAnswer[] = [];
      for (const invoice of invoices) {
        const facts = await factsNow(deps, invoice, living.has(invoice.id));
        data.push(await toInvoiceBody(invoice, undefined, facts));
      }
      return { data, meta: pageMeta(page, total) };
    },
    get: async (id) => answer(await existing(deps, id)),
    update: async (id, request) => {
      await living(deps, id);
      const own = await atCustomersTime(deps, (await existing(deps, id)).customerId);
      const change = (moving: Parameters<typeof editInvoice>[1]) => {
        if (!isEditable(moving.invoice.status)) {
          throw invoiceProblem('invoice_cannot_be_edited', `it is ${moving.invoice.status}`);
        }
        return editInvoice(own, moving, request);
      };
      const now = await currentState(own, id);
      // A request that changes nothing has nothing worked out anew, nor taken over by an external system again.
      if ((await change(now)) === now) return answer(now.invoice);
      return answer(await moveInvoice(deps, id, { trigger: 'update', change }));
    },
    remove: async (id) => {
      // Its contract knows no conflict: what was deleted is not there to be deleted again.
      if ((await existing(deps, id)).deletedAtMs !== undefined) throw invoiceNotFound(id);
      await moveInvoice(deps, id, { trigger: 'delete' });
    },
    advance: async (id) => {
      const invoice = await living(deps, id);
      const withLines = await lineRepository(db).invoicesWithLiving([id]);
      const facts = await factsNow(deps, invoice, withLines.has(id));
      if (nextStatus(invoice.status, facts) === undefined) {
        throw invoiceProblem('invoice_cannot_advance', `it is ${invoice.status}`);
      }
      return answer(await moveInvoice(deps, id));
    },
    trigger: async (id, trigger) => {
      await living(deps, id);
      return answer(await moveInvoice(deps, id, { trigger }));
    },
  };
}

async function factsNow(deps: InvoicesDeps, invoice: Invoice, hasLines: boolean) {
  const { clock } = await atCustomersTime(deps, invoice.customerId);
  return factsOf(invoice, hasLines, await deps.findApp(invoice.appId, deps.db), clock.nowMs());
}

async function currentState(deps: InvoicesDeps, id: string): Promise<Moving> {
  const invoice = await existing(deps, id);
  const currency = await currencyOf(deps, invoice.currency, deps.db);
  return { invoice, lines: await lineRepository(deps.db).ofInvoice(id), currency };
}

async function existing(deps: InvoicesDeps, id: string): Promise<Invoice> {
  const invoice = await invoiceRepository(deps.db).byId(id);
  if (invoice === undefined) throw invoiceNotFound(id);
  return invoice;
}

async function living(deps: InvoicesDeps, id: string): Promise<Invoice> {
  const invoice = await existing(deps, id);
  if (invoice.deletedAtMs !== undefined) throw invoiceDeleted(id);
  return invoice;
}
