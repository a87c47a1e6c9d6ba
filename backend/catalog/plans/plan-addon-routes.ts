import { z } from '@hono/zod-openapi';
import { numberedPage, pageMeta } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import {
  createPlanAddonSchema,
  fromPlanAddon,
  planAddonPageSchema,
  planAddonSchema,
  toPlanAddonTerms,
  upsertPlanAddonSchema,
} from './plan-addon-schema.ts';
import type { PlanAddonsService } from './plan-addon-service.ts';

const TAG = 'Product catalog';
const planId = z.object({ planId: ulidSchema });
const planAddonId = z.object({ planId: ulidSchema, planAddonId: ulidSchema });

/** Registers the operations of the add-ons of plans. */
export function planAddonRoutes(router: Router, service: PlanAddonsService): void {
  router.endpoint(
    {
      method: 'post',
      path: '/plans/{planId}/addons',
      operationId: 'create-plan-addon',
      tag: TAG,
      summary: 'Add add-on to plan',
      description: 'The plan must be a draft, the add-on active. Why it does not fit stands in validation_errors.',
      access: 'write',
      params: planId,
      body: createPlanAddonSchema,
      responses: { 201: jsonResponse('The add-on of the plan.', planAddonSchema) },
    },
    async ({ answer, params, body }) =>
      answer(fromPlanAddon(await service.create(params.planId, body.addon.id, toPlanAddonTerms(body))), 201),
  );
  router.endpoint(
    {
      method: 'get',
      path: '/plans/{planId}/addons',
      operationId: 'list-plan-addons',
      tag: TAG,
      summary: 'List add-ons of plan',
      access: 'read',
      params: planId,
      query: queryOf({ page: numberedPage() }),
      responses: { 200: jsonResponse('A page of add-ons of the plan, oldest first.', planAddonPageSchema) },
    },
    async ({ answer, params, query }) => {
      const page = query.page;
      const { planAddons, total } = await service.list(params.planId, page);
      return answer({ data: planAddons.map(fromPlanAddon), meta: pageMeta(page, total) });
    },
  );
  singlePlanAddonRoutes(router, service);
}

function singlePlanAddonRoutes(router: Router, service: PlanAddonsService): void {
  const path = '/plans/{planId}/addons/{planAddonId}';
  router.endpoint(
    {
      method: 'get',
      path,
      operationId: 'get-plan-addon',
      tag: TAG,
      summary: 'Get add-on of plan',
      access: 'read',
      params: planAddonId,
      responses: { 200: jsonResponse('The add-on of the plan; a deleted one carries deleted_at.', planAddonSchema) },
    },
    async ({ answer, params }) => answer(fromPlanAddon(await service.get(params.planId, params.planAddonId))),
  );
  router.endpoint(
    {
      method: 'put',
      path,
      operationId: 'update-plan-addon',
      tag: TAG,
      summary: 'Update add-on of plan',
      description: 'Replaces all but the add-on. The plan must be a draft, and the add-on must fit.',
      access: 'write',
      params: planAddonId,
      body: upsertPlanAddonSchema,
      responses: { 200: jsonResponse('The add-on of the plan.', planAddonSchema) },
    },
    async ({ answer, params, body }) =>
      answer(fromPlanAddon(await service.update(params.planId, params.planAddonId, toPlanAddonTerms(body)))),
  );
  router.endpoint(
    {
      method: 'delete',
      path,
      operationId: 'delete-plan-addon',
      tag: TAG,
      summary: 'Remove add-on from plan',
      description: 'The plan must be a draft. Deleting twice answers 204 twice.',
      access: 'write',
      params: planAddonId,
      responses: { 204: { description: 'Deleted.' } },
    },
    async ({ c, params }) => {
      await service.remove(params.planId, params.planAddonId);
      return c.body(null, 204);
    },
  );
}
