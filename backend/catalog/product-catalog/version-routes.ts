import type { z } from '@hono/zod-openapi';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Query } from '../../platform/http/query.ts';
import { idIn, resourceRoutes } from '../../platform/http/resource-routes.ts';
import { jsonResponse, type Router, type Unchanged } from '../../platform/http/router.ts';
import type { Sort } from '../../platform/http/sorting.ts';
import type { VersionLifecycle } from './lifecycle.ts';
import type { JudgedVersion } from './transitions.ts';
import type { NewVersion, Version, VersionChange, VersionFilterField, VersionSortField } from './version.ts';
/** What the operations of one kind of versions are called, take and answer. */
export interface VersionRoutes<
  Content,
  Schema extends z.ZodType,
  Page extends z.ZodType,
  Created extends z.ZodType,
  Changed extends z.ZodType,
> {
  /** Part of the operations' ids: "plan". */
  kind: string;
  /** As in "a plan", "an add-on". */
  noun: { article: 'a' | 'an'; name: string };
  /** Of one version, in OpenAPI form: "/plans/{id}". */
  path: string;
  tag: string;
  schema: Schema;
  service: VersionLifecycle<Content>;
  body(judged: JudgedVersion<Content>): Unchanged<z.input<Schema>>;
  create: { body: Created; toVersion(request: z.output<Created>): NewVersion<Content> };
  list: {
    page: Page;
    toPage(data: Unchanged<z.input<Schema>>[], meta: ReturnType<typeof pageMeta>): Unchanged<z.input<Page>>;
    query: Query<VersionQuery>;
  };
  change: { body: Changed; revise(version: Version<Content>, request: z.output<Changed>): VersionChange<Content> };
  /** What differs between the kinds. */
  descriptions: { change: string; remove: string; archive: string; next: string };
}

interface VersionQuery {
  page: PageRequest;
  sort: Sort<VersionSortField>;
  filters: readonly FilterCondition<VersionFilterField>[];
}

/** Registers the operations of versions: the same for all kinds. */
export function versionRoutes<
  Content,
  Schema extends z.ZodType,
  Page extends z.ZodType,
  Created extends z.ZodType,
  Changed extends z.ZodType,
>(router: Router, routes: VersionRoutes<Content, Schema, Page, Created, Changed>): void {
  const { kind, noun, path, tag, schema, service, body, create, list, change, descriptions } = routes;
  resourceRoutes(router, {
    kind,
    name: noun.name,
    path,
    tag,
    schema,
    create: {
      description:
        'A draft: version 1 of a new key, the next version of a known one. What keeps it from being published stands in validation_errors.',
      answer: 'The draft.',
      access: 'write',
      body: create.body,
      run: async (request) => body(await service.create(create.toVersion(request))),
    },
    list: {
      description: 'All versions; deleted ones are left out.',
      answer: `A page of ${noun.name}s.`,
      page: list.page,
      query: list.query,
      run: async ({ page, sort, filters }) => {
        const { versions, total } = await service.list(filters, sort, page);
        return list.toPage(versions.map(body), pageMeta(page, total));
      },
    },
    change: {
      verb: 'update',
      description: descriptions.change,
      answer: 'The draft.',
      access: 'write',
      body: change.body,
      run: async (id, request) => body(await service.update(id, (version) => change.revise(version, request))),
    },
    get: {
      answer: 'The version; a deleted one carries deleted_at.',
      run: async (id) => body(await service.get(id)),
    },
    remove: { description: descriptions.remove, access: 'write', run: service.remove },
  });
  transitionRoutes(router, routes);
}

/** Puts versions in force and out of it. */
function transitionRoutes<Content, Schema extends z.ZodType>(
  router: Router,
  routes: Pick<
    VersionRoutes<Content, Schema, z.ZodType, z.ZodType, z.ZodType>,
    'kind' | 'noun' | 'path' | 'tag' | 'schema' | 'service' | 'body' | 'descriptions'
  >,
): void {
  const { kind, noun, path, tag, schema, service, body, descriptions } = routes;
  const { params, idOf } = idIn(path);
  router.endpoint(
    {
      method: 'post',
      path: `${path}/publish`,
      operationId: `publish-${kind}`,
      tag,
      summary: `Publish ${noun.name}`,
      description: 'The draft is in force from now on; the version that was is archived at the same instant.',
      access: 'write',
      params,
      responses: { 200: jsonResponse('The active version.', schema) },
    },
    async ({ answer, params: given }) => answer(body(await service.publish(idOf(given)))),
  );
  router.endpoint(
    {
      method: 'post',
      path: `${path}/archive`,
      operationId: `archive-${kind}`,
      tag,
      summary: `Archive ${noun.name}`,
      description: descriptions.archive,
      access: 'write',
      params,
      responses: { 200: jsonResponse('The archived version.', schema) },
    },
    async ({ answer, params: given }) => answer(body(await service.archive(idOf(given)))),
  );
  router.endpoint(
    {
      method: 'post',
      path: `${path}/next`,
      operationId: `next-${kind}`,
      changes: { type: `${kind}s` },
      tag,
      summary: `Create the next version of ${noun.article} ${noun.name}`,
      description: descriptions.next,
      access: 'write',
      params,
      responses: { 201: jsonResponse('The draft.', schema) },
    },
    async ({ answer, params: given }) => answer(body(await service.next(idOf(given))), 201),
  );
}
