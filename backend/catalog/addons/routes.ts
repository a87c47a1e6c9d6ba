import type { Clock } from '../../platform/clock.ts';
import { type FilterKind, filterBy } from '../../platform/http/filtering.ts';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import type { Router } from '../../platform/http/router.ts';
import { type SortRules, sortBy } from '../../platform/http/sorting.ts';
import { type VersionLifecycle, versionRoutes } from '../product-catalog/index.ts';
import { type AddonContent, fromJudgedAddon, toAddonChange } from './addon-mapping.ts';
import {
  type AddonFilterField,
  type AddonSortField,
  addonPageSchema,
  addonSchema,
  createAddonSchema,
  upsertAddonSchema,
} from './schema.ts';

const SORT: SortRules<AddonSortField> = {
  fields: ['created_at', 'id', 'key', 'name', 'updated_at'],
  default: 'created_at',
  defaultDirection: 'asc',
};
const FILTERS: Record<AddonFilterField, FilterKind> = {
  id: 'ulid',
  key: 'string',
  name: 'string',
  status: 'string-exact',
  currency: 'string-exact',
};

const QUERY = queryOf({ page: numberedPage(), sort: sortBy(SORT), filters: filterBy(FILTERS) });

/** Registers the operations of add-ons. */
export function addonRoutes(router: Router, addons: VersionLifecycle<AddonContent>, clock: Clock): void {
  versionRoutes(router, {
    kind: 'addon',
    noun: { article: 'an', name: 'add-on' },
    path: '/addons/{addonId}',
    tag: 'Product catalog',
    schema: addonSchema,
    service: addons,
    body: (judged) => fromJudgedAddon(judged, clock.nowMs()),
    create: {
      body: createAddonSchema,
      toVersion: (request) => ({ ...toAddonChange(request), key: request.key, currency: request.currency }),
    },
    list: { page: addonPageSchema, toPage: (data, meta) => ({ data, meta }), query: QUERY },
    change: { body: upsertAddonSchema, revise: (_version, request) => toAddonChange(request) },
    descriptions: {
      change: 'Replaces a draft but for its key and currency. A published version never changes.',
      remove: 'A draft, or an archived version that no plan offers. Deleting twice answers 204 twice.',
      archive: 'No new plan can offer it; what was bought continues.',
      next: 'A new draft with the content of this version. 409 when the key has a draft.',
    },
  });
}
