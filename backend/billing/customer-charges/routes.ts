/** The operations on a customer's charges. */
import { z } from '@hono/zod-openapi';
import { invalidParameter } from '../../platform/errors.ts';
import { type FilterCondition, type FilterKind, readFilters } from '../../platform/http/filtering.ts';
import { listQuery } from '../../platform/http/list-docs.ts';
import { readPage } from '../../platform/http/paging.ts';
import type { QueryParams } from '../../platform/http/query-params.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { readSort } from '../../platform/http/sorting.ts';
import type { ChargeStatus } from './body.ts';
import { chargePageSchema, chargeSchema, createChargeSchema } from './schema.ts';
import { CHARGE_SORT, type ChargesService } from './service.ts';

const TAG = 'Invoices';
const customerId = z.object({ customerId: ulidSchema });

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
    async ({ answer, params, query }) =>
      answer(
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
    async ({ answer, params, body }) => answer(await service.create(params.customerId, body), 201),
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
