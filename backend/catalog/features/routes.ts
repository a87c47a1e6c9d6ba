import { type FilterKind, filterBy } from '../../platform/http/filtering.ts';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { resourceRoutes } from '../../platform/http/resource-routes.ts';
import type { Router } from '../../platform/http/router.ts';
import { sortBy } from '../../platform/http/sorting.ts';
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
  resourceRoutes(router, {
    kind: 'feature',
    name: 'feature',
    path: '/features/{featureId}',
    tag: TAG,
    schema: featureSchema,
    create: {
      description: 'What is priced or limited: the usage of a meter under filters, or, without a meter, a switch.',
      answer: 'The feature.',
      access: 'write',
      body: createFeatureSchema,
      run: service.create,
    },
    list: {
      description: 'Archived features are left out.',
      answer: 'A page of features.',
      page: featurePageSchema,
      query: queryOf({ page: numberedPage(), sort: sortBy(FEATURE_SORT), filters: filterBy(FILTERS) }),
      run: (query) => service.list(query.filters, query.sort, query.page),
    },
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
