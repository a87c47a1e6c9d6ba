import { z } from '@hono/zod-openapi';
import { type FilterKind, filterBy } from '../../platform/http/filtering.ts';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { resourceRoutes } from '../../platform/http/resource-routes.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { sortBy } from '../../platform/http/sorting.ts';
import type { InvoiceFilterField } from '../invoice-records/index.ts';
import { invoiceTaxesSchema } from '../tax/index.ts';
import { invoicePageSchema, invoiceSchema, updateInvoiceSchema } from './schema.ts';
import { INVOICE_SORT, type InvoicesService } from './service.ts';

const TAG = 'Invoices';
const FILTERS: Record<InvoiceFilterField, FilterKind> = {
  status: 'string-exact',
  customer_id: 'ulid',
  issued_at: 'datetime',
  service_period_start: 'datetime',
  created_at: 'datetime',
};
const invoiceId = z.object({ invoiceId: ulidSchema });

/** Registers the operations of standard invoices. */
export function invoiceRoutes(router: Router, service: InvoicesService): void {
  resourceRoutes(router, {
    kind: 'invoice',
    name: 'a billing invoice',
    names: 'billing invoices',
    path: '/billing/invoices/{invoiceId}',
    tag: TAG,
    schema: invoiceSchema,
    list: {
      description: 'Without lines. Deleted invoices and those in the making are left out.',
      answer: 'A page of invoices.',
      page: invoicePageSchema,
      query: queryOf({ page: numberedPage(), sort: sortBy(INVOICE_SORT), filters: filterBy(FILTERS) }),
      run: (query) => service.list(query.filters, query.sort, query.page),
    },
    get: { answer: 'The invoice with its lines; a deleted one carries deleted_at.', run: service.get },
    change: {
      verb: 'update',
      description:
        'Drafts only. Lines are matched by id: one without an id is new, one that is left out is deleted, without ' +
        '"lines" all stay. Everything is rated again.',
      answer: 'The invoice.',
      access: 'write',
      body: updateInvoiceSchema,
      run: service.update,
    },
    remove: {
      description: 'Before it is issued only. What stood on it is not billed on another invoice.',
      access: 'write',
      run: service.remove,
    },
  });
  taxesRoute(router, service);
  actionRoutes(router, service);
}

function taxesRoute(router: Router, service: InvoicesService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/billing/invoices/{invoiceId}/taxes',
      operationId: 'get-invoice-taxes',
      tag: TAG,
      summary: 'Get the taxes of a billing invoice, rate by rate',
      description:
        'Each is rounded once; the lines have shares of it that come to it. Empty where no taxes are computed.',
      access: 'read',
      params: invoiceId,
      responses: { 200: jsonResponse('The taxes.', invoiceTaxesSchema) },
    },
    async ({ answer, params }) => answer(await service.taxes(params.invoiceId)),
  );
}

const ACTIONS = [
  {
    name: 'approve',
    trigger: 'approve',
    operationId: 'approve-invoice',
    summary: 'Approve a billing invoice',
    description: 'Issues a draft at once, whether it waits for approval or for the end of its draft period.',
  },
  {
    name: 'retry',
    trigger: 'retry',
    operationId: 'retry-invoice',
    summary: 'Retry a failed step of a billing invoice',
    description: 'Also tries an unpaid invoice again.',
  },
  {
    name: 'snapshot-quantities',
    trigger: 'snapshot_quantities',
    operationId: 'snapshot-quantities-invoice',
    summary: 'Take the quantities of a billing invoice now',
    description: 'Without waiting for the end of the collection interval.',
  },
  {
    name: 'void',
    trigger: 'void',
    operationId: 'void-invoice',
    summary: 'Void a billing invoice',
    description: 'An issued invoice that nobody is to pay. What stood on it is not billed on another invoice.',
  },
  {
    name: 'mark-uncollectible',
    trigger: 'uncollectible',
    operationId: 'mark-invoice-uncollectible',
    summary: 'Mark a billing invoice as uncollectible',
    description: 'It may still be paid, or voided.',
  },
] as const;

function actionRoutes(router: Router, service: InvoicesService): void {
  router.endpoint(
    {
      method: 'post',
      path: '/billing/invoices/{invoiceId}/advance',
      operationId: 'advance-invoice',
      tag: TAG,
      summary: 'Advance a billing invoice',
      description: 'Takes the automatic steps that are possible now, without waiting for the job.',
      access: 'write',
      params: invoiceId,
      responses: { 200: jsonResponse('The invoice.', invoiceSchema) },
    },
    async ({ answer, params }) => answer(await service.advance(params.invoiceId)),
  );
  for (const { name, trigger, ...docs } of ACTIONS) {
    router.endpoint(
      {
        ...docs,
        method: 'post',
        path: `/billing/invoices/{invoiceId}/${name}`,
        tag: TAG,
        access: 'write',
        params: invoiceId,
        responses: { 200: jsonResponse('The invoice.', invoiceSchema) },
      },
      async ({ answer, params }) => answer(await service.trigger(params.invoiceId, trigger)),
    );
  }
}
