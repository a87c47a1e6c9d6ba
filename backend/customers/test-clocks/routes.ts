import { z } from '@hono/zod-openapi';
import { type FilterKind, filterBy } from '../../platform/http/filtering.ts';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { advanceTestClockSchema, putTestClockSchema, testClockPageSchema, testClockSchema } from './schema.ts';
import type { TestClocksService } from './service.ts';

const COMMON = {
  tag: 'Test Clocks',
  path: '/customers/{customerId}/test-clock',
  params: z.object({ customerId: ulidSchema }),
} as const;

const FILTERS = { customer_id: 'ulid' } as const satisfies Record<string, FilterKind>;

/** Registers the operations of test clocks, our own addition to the contract. */
export function testClockRoutes(router: Router, service: TestClocksService): void {
  const answer = { 200: jsonResponse('The test clock.', testClockSchema) };
  router.endpoint(
    {
      method: 'get',
      path: '/test-clocks',
      operationId: 'list-test-clocks',
      tag: COMMON.tag,
      summary: 'List test clocks',
      description: 'Customers who live by a clock of their own, also those that were deleted.',
      access: 'read',
      query: queryOf({ page: numberedPage(), filters: filterBy(FILTERS) }),
      responses: { 200: jsonResponse('A page of test clocks.', testClockPageSchema) },
    },
    async ({ answer, query }) => answer(await service.list(query.filters, query.page)),
  );
  router.endpoint(
    {
      ...COMMON,
      method: 'put',
      operationId: 'put-customer-test-clock',
      summary: 'Put customer on a test clock',
      description:
        'Makes the customer a sandbox one: its subscriptions, entitlements and invoices live at this instant until the ' +
        'clock is moved. Other customers are untouched. A customer with subscriptions keeps the time it has.',
      access: 'write',
      body: putTestClockSchema,
      responses: answer,
    },
    async ({ answer, params, body }) => answer(await service.put(params.customerId, body.now)),
  );
  router.endpoint(
    {
      ...COMMON,
      method: 'get',
      operationId: 'get-customer-test-clock',
      summary: 'Get test clock of customer',
      access: 'read',
      responses: answer,
    },
    async ({ answer, params }) => answer(await service.get(params.customerId)),
  );
  router.endpoint(
    {
      ...COMMON,
      method: 'delete',
      operationId: 'delete-customer-test-clock',
      summary: 'Take customer off its test clock',
      description: 'It lives in real time again. Refused while the customer has subscriptions.',
      access: 'write',
      responses: { 204: { description: 'The customer lives in real time.' } },
    },
    async ({ c, params }) => {
      await service.remove(params.customerId);
      return c.body(null, 204);
    },
  );
  router.endpoint(
    {
      ...COMMON,
      path: '/customers/{customerId}/test-clock/advance',
      method: 'post',
      operationId: 'advance-customer-test-clock',
      summary: 'Advance test clock of customer',
      description: 'Forward only. Everything that falls due on the way is done day by day before the answer.',
      access: 'write',
      body: advanceTestClockSchema,
      responses: answer,
    },
    async ({ answer, params, body }) => answer(await service.advance(params.customerId, body)),
  );
}
