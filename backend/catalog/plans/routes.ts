import type { Clock } from '../../platform/clock.ts';
import { type FilterKind, filterBy } from '../../platform/http/filtering.ts';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import type { Router } from '../../platform/http/router.ts';
import { type SortRules, sortBy } from '../../platform/http/sorting.ts';
import { type NewVersion, type VersionLifecycle, versionRoutes } from '../product-catalog/index.ts';
import { fromJudgedPlan, type PlanContent, toPlanContent, toPlanRevision } from './plan-mapping.ts';
import {
  type CreatePlan,
  createPlanSchema,
  type PlanFilterField,
  type PlanSortField,
  planPageSchema,
  planSchema,
  upsertPlanSchema,
} from './schema.ts';

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

const QUERY = queryOf({ page: numberedPage(), sort: sortBy(SORT), filters: filterBy(FILTERS) });

/** Registers the operations of plans. */
export function planRoutes(router: Router, plans: VersionLifecycle<PlanContent>, clock: Clock): void {
  versionRoutes(router, {
    kind: 'plan',
    noun: { article: 'a', name: 'plan' },
    path: '/plans/{planId}',
    tag: 'Product catalog',
    schema: planSchema,
    service: plans,
    body: (judged) => fromJudgedPlan(judged, clock.nowMs()),
    create: { body: createPlanSchema, toVersion },
    list: { page: planPageSchema, toPage: (data, meta) => ({ data, meta }), query: QUERY },
    change: { body: upsertPlanSchema, revise: toPlanRevision },
    descriptions: {
      change:
        'Replaces a draft but for its key, currency and billing cadence. A published version never changes: make a new one.',
      remove:
        'A draft or an archived version; subscriptions to it continue. Its number is not given again. Deleting twice answers 204 twice.',
      archive: 'Nobody can subscribe to it any more; subscriptions to it continue.',
      next: 'A new draft with the content of this version and its add-ons. 409 when the key has a draft.',
    },
  });
}

function toVersion(request: CreatePlan): NewVersion<PlanContent> {
  const { key, currency, name, description, labels } = request;
  const optional = { ...(description !== undefined && { description }), ...(labels && { labels }) };
  return { key, currency, name, ...optional, content: toPlanContent(request) };
}
