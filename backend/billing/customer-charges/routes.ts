/** The operations on a customer's charges. */

import { z } from '@hono/zod-openapi';
import { type FilterCondition, type FilterKind, filterBy } from '../../platform/http/filtering.ts';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf, refine } from '../../platform/http/query.ts';
import { expand, notOneOf } from '../../platform/http/query-parts.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { sortBy } from '../../platform/http/sorting.ts';
import type { ChargeStatus } from './body.ts';
import { chargePageSchema, chargeSchema, createChargeSchema } from './schema.ts';
import { CHARGE_SORT, type ChargesService } from './service.ts';

const TAG = 'Invoices';
const customerId = z.object({ customerId: ulidSchema });

const CHARGE_FILTERS = { status: 'string-exact' } as const satisfies Record<string, FilterKind>;
const CHARGE_STATUSES: readonly ChargeStatus[] = ['created', 'active', 'final', 'deleted'];

const QUERY = queryOf({
  page: numberedPage(),
  sort: sortBy(CHARGE_SORT),
  statuses: refine(filterBy(CHARGE_FILTERS), statusesOf),
  withRealtime: expand('real_time_usage', 'real_time_usage: what usage comes to by now.'),
});

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
      query: QUERY,
      responses: { 200: jsonResponse('A page of charges.', chargePageSchema) },
    },
    async ({ answer, params, query }) => answer(await service.list(params.customerId, query)),
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
function statusesOf(filters: readonly FilterCondition<'status'>[]): ChargeStatus[] | undefined {
  const given: readonly string[] = filters.flatMap(({ values }) => values);
  const unknown = given.find((status) => !CHARGE_STATUSES.some((known) => known === status));
  if (unknown !== undefined) throw notOneOf('filter[status]', CHARGE_STATUSES);
  return CHARGE_STATUSES.filter((status) =>
    filters.length === 0
      ? status !== 'deleted'
      : filters.every(({ operator, values }) => values.includes(status) === (operator !== 'neq')),
  );
}
