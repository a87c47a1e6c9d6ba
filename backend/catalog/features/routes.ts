import { type FilterKind, readFilters } from '../../platform/http/filtering.ts';
import { listQuery } from '../../platform/http/list-docs.ts';
import { readPage } from '../../platform/http/paging.ts';
import { resourceRoutes } from '../../platform/http/resource-routes.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { readSort } from '../../platform/http/sorting.ts';
import {
  createFeatureSchema,
  type FeatureFilterField,
  featurePageSchema,
  featureSchema,
  updateFeatureSchema,
} from './schema.ts';
import { FEATURE_SORT, type FeaturesService } from './service.ts';

const TAG = 'Features';
const FILTERS: Record<FeatureFilterField, FilterKind> = { meter_id: 'ulid', key: 'string', name: 'string' };

/** Registers the operations of features. */
export function featureRoutes(router: Router, service: FeaturesService): void {
  router.endpoint(
    {
      method: 'post',
      path: '/features',
      operationId: 'create-feature',
      tag: TAG,
      summary: 'Create feature',
      description: 'What is priced or limited: the usage of a meter under filters, or, without a meter, a switch.',
      access: 'write',
      body: createFeatureSchema,
      responses: { 201: jsonResponse('The feature.', featureSchema) },
    },
    async ({ answer, body }) => answer(await service.create(body), 201),
  );
  router.endpoint(
    {
      method: 'get',
      path: '/features',
      operationId: 'list-features',
      tag: TAG,
      summary: 'List features',
      description: 'Archived features are left out.',
      access: 'read',
      query: listQuery('page', FEATURE_SORT, FILTERS),
      responses: { 200: jsonResponse('A page of features.', featurePageSchema) },
    },
    async ({ answer, query }) =>
      answer(await service.list(readFilters(query, FILTERS), readSort(query, FEATURE_SORT), readPage(query))),
  );
  resourceRoutes(router, {
    kind: 'feature',
    name: 'feature',
    path: '/features/{featureId}',
    tag: TAG,
    schema: featureSchema,
    get: { answer: 'The feature; an archived one carries deleted_at.', run: service.get },
    change: {
      method: 'patch',
      verb: 'update',
      description: 'Changes the unit cost; everything else is fixed, as prices and limits stand on it.',
      answer: 'The feature.',
      access: 'write',
      body: updateFeatureSchema,
      run: service.update,
    },
    remove: {
      description:
        'Archives it: it can still be read by its id, its key is free again. Twice answers 204 twice. ' +
        'Refused with 403 while a published plan or add-on has it.',
      answer: 'Archived.',
      access: 'write',
      run: service.archive,
    },
  });
}
