import { z } from '@hono/zod-openapi';
import type { Clock } from '../../platform/clock.ts';
import { type FilterKind, readFilters } from '../../platform/http/filtering.ts';
import { listQuery } from '../../platform/http/list-docs.ts';
import { pageMeta, readPage } from '../../platform/http/paging.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { readSort, type SortRules } from '../../platform/http/sorting.ts';
import type { JudgedVersion, VersionLifecycle } from '../product-catalog/index.ts';
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
    async ({ c, body: request }) => {
      const { key, currency } = request;
      return c.json(body(await addons.create({ ...toAddonChange(request), key, currency })), 201);
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
    async ({ c, query }) => {
      const page = readPage(query);
      const { versions, total } = await addons.list(readFilters(query, FILTERS), readSort(query, SORT), page);
      return c.json({ data: versions.map(body), meta: pageMeta(page, total) });
    },
  );
  singleAddonRoutes(router, addons, body);
  addonTransitionRoutes(router, addons, body);
}

type ToBody = (judged: JudgedVersion<AddonContent>) => object;

function singleAddonRoutes(router: Router, addons: VersionLifecycle<AddonContent>, body: ToBody): void {
  const path = '/addons/{addonId}';
  router.endpoint(
    {
      method: 'get',
      path,
      operationId: 'get-addon',
      tag: TAG,
      summary: 'Get add-on',
      access: 'read',
      params: addonId,
      responses: { 200: jsonResponse('The version; a deleted one carries deleted_at.', addonSchema) },
    },
    async ({ c, params }) => c.json(body(await addons.get(params.addonId))),
  );
  router.endpoint(
    {
      method: 'put',
      path,
      operationId: 'update-addon',
      tag: TAG,
      summary: 'Update add-on',
      description: 'Replaces a draft but for its key and currency. A published version never changes.',
      access: 'write',
      params: addonId,
      body: upsertAddonSchema,
      responses: { 200: jsonResponse('The draft.', addonSchema) },
    },
    async ({ c, params, body: request }) =>
      c.json(body(await addons.update(params.addonId, () => toAddonChange(request)))),
  );
  router.endpoint(
    {
      method: 'delete',
      path,
      operationId: 'delete-addon',
      tag: TAG,
      summary: 'Delete add-on',
      description: 'A draft, or an archived version that no plan offers. Deleting twice answers 204 twice.',
      access: 'write',
      params: addonId,
      responses: { 204: { description: 'Deleted.' } },
    },
    async ({ c, params }) => {
      await addons.remove(params.addonId);
      return c.body(null, 204);
    },
  );
}

function addonTransitionRoutes(router: Router, addons: VersionLifecycle<AddonContent>, body: ToBody): void {
  router.endpoint(
    {
      method: 'post',
      path: '/addons/{addonId}/publish',
      operationId: 'publish-addon',
      tag: TAG,
      summary: 'Publish add-on',
      description: 'The draft is in force from now on; the version that was is archived at the same instant.',
      access: 'write',
      params: addonId,
      responses: { 200: jsonResponse('The active version.', addonSchema) },
    },
    async ({ c, params }) => c.json(body(await addons.publish(params.addonId))),
  );
  router.endpoint(
    {
      method: 'post',
      path: '/addons/{addonId}/archive',
      operationId: 'archive-addon',
      tag: TAG,
      summary: 'Archive add-on',
      description: 'No new plan can offer it; what was bought continues.',
      access: 'write',
      params: addonId,
      responses: { 200: jsonResponse('The archived version.', addonSchema) },
    },
    async ({ c, params }) => c.json(body(await addons.archive(params.addonId))),
  );
  router.endpoint(
    {
      method: 'post',
      path: '/addons/{addonId}/next',
      operationId: 'next-addon',
      tag: TAG,
      summary: 'Create the next version of an add-on',
      description: 'A new draft with the content of this version. 409 when the key has a draft.',
      access: 'write',
      params: addonId,
      responses: { 201: jsonResponse('The draft.', addonSchema) },
    },
    async ({ c, params }) => c.json(body(await addons.next(params.addonId)), 201),
  );
}
