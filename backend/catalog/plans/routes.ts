import { z } from '@hono/zod-openapi';
import type { Clock } from '../../platform/clock.ts';
import { type FilterKind, readFilters } from '../../platform/http/filtering.ts';
import { listQuery } from '../../platform/http/list-docs.ts';
import { pageMeta, readPage } from '../../platform/http/paging.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { readSort, type SortRules } from '../../platform/http/sorting.ts';
import { type JudgedVersion, type VersionLifecycle, versionRoutes } from '../product-catalog/index.ts';
import { fromJudgedPlan, type PlanBody, type PlanContent, toPlanContent, toPlanRevision } from './plan-mapping.ts';
import {
  createPlanSchema,
  type PlanFilterField,
  type PlanSortField,
  planPageSchema,
  planSchema,
  upsertPlanSchema,
} from './schema.ts';

const TAG = 'Product catalog';
const ONE = '/plans/{planId}';
const planId = z.object({ planId: ulidSchema });
const SORT: SortRules<PlanSortField> = {
  fields: ['created_at', 'id', 'key', 'version', 'updated_at'],
  default: 'created_at',
  defaultDirection: 'asc',
};
const FILTERS: Record<PlanFilterField, FilterKind> = {
  key: 'string',
  name: 'string',
  status: 'string-exact',
  currency: 'string-exact',
};

/** Registers the operations of plans. */
export function planRoutes(router: Router, plans: VersionLifecycle<PlanContent>, clock: Clock): void {
  const body: ToBody = (judged) => fromJudgedPlan(judged, clock.nowMs());
  router.endpoint(
    {
      method: 'post',
      path: '/plans',
      operationId: 'create-plan',
      tag: TAG,
      summary: 'Create plan',
      description:
        'A draft: version 1 of a new key, the next version of a known one. What keeps it from being published stands in validation_errors.',
      access: 'write',
      body: createPlanSchema,
      responses: { 201: jsonResponse('The draft.', planSchema) },
    },
    async ({ answer, body: request }) => {
      const { key, currency, name, description, labels } = request;
      const optional = { ...(description !== undefined && { description }), ...(labels && { labels }) };
      const draft = await plans.create({ key, currency, name, ...optional, content: toPlanContent(request) });
      return answer(body(draft), 201);
    },
  );
  router.endpoint(
    {
      method: 'get',
      path: '/plans',
      operationId: 'list-plans',
      tag: TAG,
      summary: 'List plans',
      description: 'All versions; deleted ones are left out.',
      access: 'read',
      query: listQuery('page', SORT, FILTERS),
      responses: { 200: jsonResponse('A page of plans.', planPageSchema) },
    },
    async ({ answer, query }) => {
      const page = readPage(query);
      const { versions, total } = await plans.list(readFilters(query, FILTERS), readSort(query, SORT), page);
      return answer({ data: versions.map(body), meta: pageMeta(page, total) });
    },
  );
  planUpdateRoute(router, plans, body);
  versionRoutes(router, {
    kind: 'plan',
    noun: { article: 'a', name: 'plan' },
    path: ONE,
    tag: TAG,
    schema: planSchema,
    service: plans,
    body,
    descriptions: {
      remove:
        'A draft or an archived version; subscriptions to it continue. Its number is not given again. Deleting twice answers 204 twice.',
      archive: 'Nobody can subscribe to it any more; subscriptions to it continue.',
      next: 'A new draft with the content of this version and its add-ons. 409 when the key has a draft.',
    },
  });
}

type ToBody = (judged: JudgedVersion<PlanContent>) => PlanBody;

function planUpdateRoute(router: Router, plans: VersionLifecycle<PlanContent>, body: ToBody): void {
  router.endpoint(
    {
      method: 'put',
      path: ONE,
      operationId: 'update-plan',
      tag: TAG,
      summary: 'Update plan',
      description:
        'Replaces a draft but for its key, currency and billing cadence. A published version never changes: make a new one.',
      access: 'write',
      params: planId,
      body: upsertPlanSchema,
      responses: { 200: jsonResponse('The draft.', planSchema) },
    },
    async ({ answer, params, body: request }) =>
      answer(body(await plans.update(params.planId, (version) => toPlanRevision(version, request)))),
  );
}
