import { z } from '@hono/zod-openapi';
import type { Clock } from '../../platform/clock.ts';
import { type FilterKind, readFilters } from '../../platform/http/filtering.ts';
import { listQuery } from '../../platform/http/list-docs.ts';
import { pageMeta, readPage } from '../../platform/http/paging.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { readSort, type SortRules } from '../../platform/http/sorting.ts';
import { type JudgedVersion, type VersionLifecycle, versionRoutes } from '../product-catalog/index.ts';
import { type AddonContent, fromJudgedAddon, toAddonChange } from './addon-mapping.ts';
import {
  type AddonFilterField,
  type AddonSortField,
  addonPageSchema,
  addonSchema,
  createAddonSchema,
  upsertAddonSchema,
} from './schema.ts';

const TAG = 'Product catalog';
const ONE = '/addons/{addonId}';
const addonId = z.object({ addonId: ulidSchema });
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

/** Registers the operations of add-ons. */
export function addonRoutes(router: Router, addons: VersionLifecycle<AddonContent>, clock: Clock): void {
  const body = (judged: JudgedVersion<AddonContent>) => fromJudgedAddon(judged, clock.nowMs());
  router.endpoint(
    {
      method: 'post',
      path: '/addons',
      operationId: 'create-addon',
      tag: TAG,
      summary: 'Create add-on',
      description:
        'A draft: version 1 of a new key, the next version of a known one. What keeps it from being published stands in validation_errors.',
      access: 'write',
      body: createAddonSchema,
      responses: { 201: jsonResponse('The draft.', addonSchema) },
    },
    async ({ answer, body: request }) => {
      const { key, currency } = request;
      return answer(body(await addons.create({ ...toAddonChange(request), key, currency })), 201);
    },
  );
  router.endpoint(
    {
      method: 'get',
      path: '/addons',
      operationId: 'list-addons',
      tag: TAG,
      summary: 'List add-ons',
      description: 'All versions; deleted ones are left out.',
      access: 'read',
      query: listQuery('page', SORT, FILTERS),
      responses: { 200: jsonResponse('A page of add-ons.', addonPageSchema) },
    },
    async ({ answer, query }) => {
      const page = readPage(query);
      const { versions, total } = await addons.list(readFilters(query, FILTERS), readSort(query, SORT), page);
      return answer({ data: versions.map(body), meta: pageMeta(page, total) });
    },
  );
  addonUpdateRoute(router, addons, body);
  versionRoutes(router, {
    kind: 'addon',
    noun: { article: 'an', name: 'add-on' },
    path: ONE,
    tag: TAG,
    schema: addonSchema,
    service: addons,
    body,
    descriptions: {
      remove: 'A draft, or an archived version that no plan offers. Deleting twice answers 204 twice.',
      archive: 'No new plan can offer it; what was bought continues.',
      next: 'A new draft with the content of this version. 409 when the key has a draft.',
    },
  });
}

type ToBody = (judged: JudgedVersion<AddonContent>) => ReturnType<typeof fromJudgedAddon>;

function addonUpdateRoute(router: Router, addons: VersionLifecycle<AddonContent>, body: ToBody): void {
  router.endpoint(
    {
      method: 'put',
      path: ONE,
      operationId: 'update-addon',
      tag: TAG,
      summary: 'Update add-on',
      description: 'Replaces a draft but for its key and currency. A published version never changes.',
      access: 'write',
      params: addonId,
      body: upsertAddonSchema,
      responses: { 200: jsonResponse('The draft.', addonSchema) },
    },
    async ({ answer, params, body: request }) =>
      answer(body(await addons.update(params.addonId, () => toAddonChange(request)))),
  );
}
