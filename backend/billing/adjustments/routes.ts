import { z } from '@hono/zod-openapi';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { adjustmentPageSchema, adjustmentSchema, settleAdjustmentSchema } from './schema.ts';
import type { AdjustmentsService } from './service.ts';

/** Registers the list of what was corrected after it was billed. */
export function billingAdjustmentRoutes(router: Router, service: AdjustmentsService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}/billing-corrections',
      operationId: 'list-customer-billing-corrections',
      tag: 'Invoices',
      summary: 'List what was corrected after it was billed',
      description:
        'Late usage, voided events, usage that turned out lower, unused time: what differs from the invoices, and the invoice line that makes up for ' +
        'it. The newest first.',
      access: 'read',
      params: z.object({ customerId: ulidSchema }),
      query: queryOf({ page: numberedPage() }),
      responses: { 200: jsonResponse('A page of corrections.', adjustmentPageSchema) },
    },
    async ({ answer, params, query }) => answer(await service.list(params.customerId, query.page)),
  );
  router.endpoint(
    {
      method: 'post',
      path: '/customers/{customerId}/billing-corrections/{correctionId}/settle',
      operationId: 'settle-customer-billing-correction',
      changes: { type: 'billing-corrections' },
      tag: 'Invoices',
      summary: 'Settle a correction without an invoice',
      description:
        'For what waits for an invoice that will not come, as of a customer who has left: a credit was paid out by other ' +
        'means, or what is open is written off. It cannot be undone; the same again changes nothing.',
      access: 'write',
      params: z.object({ customerId: ulidSchema, correctionId: ulidSchema }),
      body: settleAdjustmentSchema,
      responses: { 200: jsonResponse('The correction.', adjustmentSchema) },
    },
    async ({ answer, params, body }) => answer(await service.settle(params.customerId, params.correctionId, body)),
  );
}
