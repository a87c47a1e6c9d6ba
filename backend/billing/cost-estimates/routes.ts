import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { estimateRequestSchema, estimateSchema } from './schema.ts';
import type { CostEstimatesService } from './service.ts';

/** Our own addition to the contract. */
export function costEstimateRoutes(router: Router, service: CostEstimatesService): void {
  router.endpoint(
    {
      method: 'post',
      path: '/cost-estimates',
      operationId: 'estimate-cost',
      tag: 'Cost estimates',
      summary: 'Estimate cost',
      description:
        "What a quantity, or a customer's past usage, would cost under a rate card or a plan, computed as invoices are, with " +
        'each line explained in words. Nothing is stored.',
      access: 'read',
      body: estimateRequestSchema,
      responses: { 200: jsonResponse('The estimate.', estimateSchema) },
    },
    async ({ c, answer, body }) => answer(await service.estimate(body, c.req.raw.signal)),
  );
}
