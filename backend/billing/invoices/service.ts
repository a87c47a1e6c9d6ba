import { customerScope } from '../../customers/test-clocks/index.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Sort, SortRules } from '../../platform/http/sorting.ts';
import type { Scope } from '../../platform/scope.ts';
import { currencyOf } from '../charges/index.ts';
import {
  type Invoice,
  type InvoiceFilterField,
  type InvoiceLine,
  type InvoiceSortField,
  invoiceRepository,
  isEditable,
  lineRepository,
  nextStatus,
  type Trigger,
} from '../invoice-records/index.ts';
import { type CustomerTax, NO_CUSTOMER_TAX, type TaxGroup } from '../tax/index.ts';
import { type InvoiceBody, toInvoiceBody } from './body.ts';
import type { InvoicesDeps } from './deps.ts';
import { editInvoice } from './edit.ts';
import { invoiceDeleted, invoiceNotFound, invoiceProblem } from './errors.ts';
import { moveInvoice } from './lifecycle/advance.ts';
import { factsOf, hasLiving } from './lifecycle/facts.ts';
import type { Moving } from './lifecycle/moving.ts';
import { taxRulesOf } from './lifecycle/taxes.ts';
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
  /** @throws RequestProblem 404 */
  taxes(id: string): Promise<{ customer: CustomerTax; taxes: TaxGroup[] }>;
  /** @throws RequestProblem 404 @throws DomainProblem 400 unless it is an editable draft, 409 when it was deleted */
  update(id: string, request: UpdateInvoice): Promise<InvoiceAnswer>;
  /**
   * Draft and issuing invoices only; what stood on it is not billed again. @throws RequestProblem 404, also when it was
   * deleted before @throws DomainProblem 400
   */
  remove(id: string): Promise<void>;
  /** A stored invoice as `get` answers it, also inside a transaction. @param lines undefined: without them */
  present(scope: Scope, invoice: Invoice, lines: readonly InvoiceLine[] | undefined): Promise<InvoiceAnswer>;
  /** Takes the automatic steps that are possible. @throws DomainProblem 400 when there is none */
  advance(id: string): Promise<InvoiceAnswer>;
  /** @throws DomainProblem 400 when the status does not allow it */
  trigger(id: string, trigger: Exclude<Trigger, 'next' | 'update' | 'delete'>): Promise<InvoiceAnswer>;
}

/** Standard invoices as the API has them. */
export function createInvoicesService(scope: Scope, deps: InvoicesDeps): InvoicesService {
  const answer = async (invoice: Invoice): Promise<InvoiceAnswer> => {
    const lines = await lineRepository(scope).ofInvoice(invoice.id);
    return toInvoiceBody(invoice, lines, await factsNow(deps, scope, invoice, hasLiving(lines)));
  };
  return {
    list: async (filters, sort, page) => {
      const { invoices, total } = await invoiceRepository(scope).page(filters, sort, page);
      const living = await lineRepository(scope).invoicesWithLiving(invoices.map(({ id }) => id));
      const data: InvoiceAnswer[] = [];
      for (const invoice of invoices) {
        const facts = await factsNow(deps, scope, invoice, living.has(invoice.id));
        data.push(await toInvoiceBody(invoice, undefined, facts));
      }
      return { data, meta: pageMeta(page, total) };
    },
    get: async (id) => answer(await existing(scope, id)),
    present: async (own, invoice, lines) => {
      const facts = await factsNow(deps, own, invoice, lines === undefined || hasLiving(lines));
      return toInvoiceBody(invoice, lines, facts);
    },
    taxes: async (id) => {
      const { taxes = [], customerTax = NO_CUSTOMER_TAX } = await existing(scope, id);
      return { customer: customerTax, taxes: [...taxes] };
    },
    update: async (id, request) => {
      await living(scope, id);
      const own = await customerScope(scope, (await existing(scope, id)).customerId);
      const change = (moving: Moving) => {
        if (!isEditable(moving.invoice.status)) {
          throw invoiceProblem('invoice_cannot_be_edited', `it is ${moving.invoice.status}`);
        }
        return editInvoice(deps, own, moving, request);
      };
      const now = await currentState(deps, own, id);
      // A request that changes nothing has nothing worked out anew, nor taken over by an external system again.
      if ((await change(now)) === now) return answer(now.invoice);
      return answer(await moveInvoice(deps, scope, id, { trigger: 'update', change }));
    },
    remove: async (id) => {
      // Its contract knows no conflict: what was deleted is not there to be deleted again.
      if ((await existing(scope, id)).deletedAtMs !== undefined) throw invoiceNotFound(id);
      await moveInvoice(deps, scope, id, { trigger: 'delete' });
    },
    advance: async (id) => {
      const invoice = await living(scope, id);
      const withLines = await lineRepository(scope).invoicesWithLiving([id]);
      const facts = await factsNow(deps, scope, invoice, withLines.has(id));
      if (nextStatus(invoice.status, facts) === undefined) {
        throw invoiceProblem('invoice_cannot_advance', `it is ${invoice.status}`);
      }
      return answer(await moveInvoice(deps, scope, id));
    },
    trigger: async (id, trigger) => {
      await living(scope, id);
      return answer(await moveInvoice(deps, scope, id, { trigger }));
    },
  };
}

async function factsNow(deps: InvoicesDeps, root: Scope, invoice: Invoice, hasLines: boolean) {
  const scope = await customerScope(root, invoice.customerId);
  const app = await deps.findApp(invoice.appId, scope);
  return factsOf(invoice, hasLines, { rail: deps.rails[invoice.appType], app, nowMs: scope.clock.nowMs() });
}

async function currentState(deps: InvoicesDeps, scope: Scope, id: string): Promise<Moving> {
  const invoice = await existing(scope, id);
  const currency = await currencyOf(deps, invoice.currency, scope);
  const taxes = await taxRulesOf(deps, scope, invoice);
  return { invoice, lines: await lineRepository(scope).ofInvoice(id), currency, taxes };
}

async function existing(scope: Scope, id: string): Promise<Invoice> {
  const invoice = await invoiceRepository(scope).byId(id);
  if (invoice === undefined) throw invoiceNotFound(id);
  return invoice;
}

async function living(scope: Scope, id: string): Promise<Invoice> {
  const invoice = await existing(scope, id);
  if (invoice.deletedAtMs !== undefined) throw invoiceDeleted(id);
  return invoice;
}
