import { z } from '@hono/zod-openapi';
import { type FilterKind, readFilters } from '../../platform/http/filtering.ts';
import { listQuery } from '../../platform/http/list-docs.ts';
import { readPage } from '../../platform/http/paging.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
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
const featureId = z.object({ featureId: ulidSchema });

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
    async ({ c, body }) => c.json(await service.create(body), 201),
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
    async ({ c, query }) =>
      c.json(await service.list(readFilters(query, FILTERS), readSort(query, FEATURE_SORT), readPage(query))),
  );
  singleFeatureRoutes(router, service);
}

function singleFeatureRoutes(router: Router, service: FeaturesService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/features/{featureId}',
      operationId: 'get-feature',
      tag: TAG,
      summary: 'Get feature',
      access: 'read',
      params: featureId,
      responses: { 200: jsonResponse('The feature; an archived one carries deleted_at.', featureSchema) },
    },
    async ({ c, params }) => c.json(await service.get(params.featureId)),
  );
  router.endpoint(
    {
      method: 'patch',
      path: '/features/{featureId}',
      operationId: 'update-feature',
      tag: TAG,
      summary: 'Update feature',
      description: 'Changes the unit cost; everything else is fixed, as prices and limits stand on it.',
      access: 'write',
      params: featureId,
      body: updateFeatureSchema,
      responses: { 200: jsonResponse('The feature.', featureSchema) },
    },
    async ({ c, params, body }) => c.json(await service.update(params.featureId, body)),
  );
  router.endpoint(
    {
      method: 'delete',
      path: '/features/{featureId}',
      operationId: 'delete-feature',
      tag: TAG,
      summary: 'Delete feature',
      description:
        'Archives it: it can still be read by its id, its key is free again. Twice answers 204 twice. ' +
        'Refused with 403 while a published plan or add-on has it.',
      access: 'write',
      params: featureId,
      responses: { 204: { description: 'Archived.' } },
    },
    async ({ c, params }) => {
      await service.archive(params.featureId);
      return c.body(null, 204);
    },
  );
}
