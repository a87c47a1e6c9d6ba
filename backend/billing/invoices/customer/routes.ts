/** What there is of invoices under a customer: the invoice in the making, invoice now, charges. */
import { z } from '@hono/zod-openapi';
import { invalidParameter } from '../../../platform/errors.ts';
import { type FilterCondition, type FilterKind, readFilters } from '../../../platform/http/filtering.ts';
import { jsonAnswer } from '../../../platform/http/json-answer.ts';
import { listQuery } from '../../../platform/http/list-docs.ts';
import { readPage } from '../../../platform/http/paging.ts';
import type { QueryParams } from '../../../platform/http/query-params.ts';
import { jsonResponse, type Router } from '../../../platform/http/router.ts';
import { instantSchema, ulidSchema } from '../../../platform/http/schemas.ts';
import { readSort } from '../../../platform/http/sorting.ts';
import type { ChargeStatus } from '../charges/body.ts';
import { chargePageSchema, chargeSchema, createChargeSchema } from '../charges/schema.ts';
import { CHARGE_SORT, type ChargesService } from '../charges/service.ts';
import { invoiceSchema } from '../schema.ts';
import type { InvoiceAnswer } from '../service.ts';
import { type Simulate, simulateSchema } from '../simulate.ts';

const TAG = 'Invoices';
const customerId = z.object({ customerId: ulidSchema });
/** Charges named in one request: as many as one invoice may have lines. */
const MAX_CHARGES = 1000;

const invoiceNowSchema = z
  .strictObject({
    as_of: instantSchema.optional().openapi({ description: 'What falls due up to then; default and latest: now.' }),
    charge_ids: z.array(ulidSchema).max(MAX_CHARGES).optional(),
    progressive_billing: z.boolean().optional().openapi({ description: 'In place of what the profile says.' }),
  })
  .openapi('InvoiceNowRequest');
export type InvoiceNowBody = z.output<typeof invoiceNowSchema>;

export interface CustomerInvoices {
  preview(customerId: string, currency: string | undefined): Promise<InvoiceAnswer>;
  simulate(customerId: string, request: Simulate): Promise<InvoiceAnswer>;
  invoiceNow(customerId: string, request: InvoiceNowBody): Promise<InvoiceAnswer[]>;
}

/** Registers the operations on a customer's invoice in the making. */
export function customerInvoiceRoutes(router: Router, service: CustomerInvoices): void {
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}/invoice-preview',
      operationId: 'preview-customer-invoice',
      tag: TAG,
      summary: 'Preview the next invoice',
      description:
        'The invoice in the making with the usage so far, in the shape of an invoice. An invoice made of the same usage ' +
        'has the same numbers.',
      access: 'read',
      params: customerId,
      query: z.object({
        currency: z
          .string()
          .optional()
          .openapi({
            param: { in: 'query' },
            description: "Default: the customer's, or that of what is to be billed.",
          }),
      }),
      responses: { 200: jsonResponse('What the next invoice would be.', invoiceSchema) },
    },
    async ({ c, params, query }) => jsonAnswer(c, await service.preview(params.customerId, query.get('currency'))),
  );
  router.endpoint(
    {
      method: 'post',
      path: '/customers/{customerId}/invoice-preview/simulate',
      operationId: 'simulate-customer-invoice',
      tag: TAG,
      summary: 'Simulate the next invoice',
      description: 'The preview with other quantities, or with further lines. Nothing is stored.',
      access: 'read',
      params: customerId,
      body: simulateSchema,
      responses: { 200: jsonResponse('What the next invoice would be.', invoiceSchema) },
    },
    async ({ c, params, body }) => jsonAnswer(c, await service.simulate(params.customerId, body)),
  );
  router.endpoint(
    {
      method: 'post',
      path: '/customers/{customerId}/invoices',
      operationId: 'invoice-customer-now',
      changes: { type: 'billing/invoices' },
      tag: TAG,
      summary: 'Invoice a customer now',
      description:
        'Without waiting for the alignment; with progressive billing also what was used of periods that are running. ' +
        'One invoice for each currency.',
      access: 'write',
      params: customerId,
      body: invoiceNowSchema,
      responses: { 201: jsonResponse('The invoices.', z.strictObject({ data: z.array(invoiceSchema) })) },
    },
    async ({ c, params, body }) => jsonAnswer(c, { data: await service.invoiceNow(params.customerId, body) }, 201),
  );
}

const CHARGE_FILTERS = { status: 'string-exact' } as const satisfies Record<string, FilterKind>;
const CHARGE_STATUSES: readonly ChargeStatus[] = ['created', 'active', 'final', 'deleted'];

/** Registers the operations on a customer's charges. */
export function chargeRoutes(router: Router, service: ChargesService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}/charges',
      operationId: 'list-customer-charges',
      tag: TAG,
      summary: 'List customer charges',
      access: 'read',
      params: customerId,
      query: listQuery('page', CHARGE_SORT, CHARGE_FILTERS).extend({
        expand: z
          .string()
          .optional()
          .openapi({ param: { in: 'query' }, description: 'real_time_usage: what usage comes to by now.' }),
      }),
      responses: { 200: jsonResponse('A page of charges.', chargePageSchema) },
    },
    async ({ c, params, query }) =>
      c.json(
        await service.list(params.customerId, {
          statuses: readStatuses(readFilters(query, CHARGE_FILTERS)),
          sort: readSort(query, CHARGE_SORT),
          page: readPage(query),
          withRealtime: readExpand(query),
        }),
      ),
  );
  router.endpoint(
    {
      method: 'post',
      path: '/customers/{customerId}/charges',
      operationId: 'create-customer-charges',
      tag: TAG,
      summary: 'Create customer charge',
      description:
        'It is put on the invoice that is made at invoice_at. The same unique_reference_id twice is one charge.',
      access: 'write',
      params: customerId,
      body: createChargeSchema,
      responses: { 201: jsonResponse('The charge.', chargeSchema) },
    },
    async ({ c, params, body }) => c.json(await service.create(params.customerId, body), 201),
  );
}

/** undefined: all but the deleted ones. */
function readStatuses(filters: readonly FilterCondition<'status'>[]): ChargeStatus[] | undefined {
  const given: readonly string[] = filters.flatMap(({ values }) => values);
  const unknown = given.find((status) => !CHARGE_STATUSES.some((known) => known === status));
  if (unknown !== undefined) {
    const reason = `must be one of ${CHARGE_STATUSES.join(', ')}`;
    throw invalidParameter({
      field: 'filter[status]',
      rule: 'enum',
      reason,
      choices: CHARGE_STATUSES,
      source: 'query',
    });
  }
  return CHARGE_STATUSES.filter((status) =>
    filters.length === 0
      ? status !== 'deleted'
      : filters.every(({ operator, values }) => values.includes(status) === (operator !== 'neq')),
  );
}

function readExpand(query: QueryParams): boolean {
  const expand = query.get('expand');
  if (expand === undefined || expand === '') return false;
  if (expand.split(',').every((item) => item === 'real_time_usage')) return true;
  const reason = 'must be real_time_usage';
  throw invalidParameter({ field: 'expand', rule: 'enum', reason, choices: ['real_time_usage'], source: 'query' });
}
