import { z } from '@hono/zod-openapi';
import { resourceRoutes } from '../../platform/http/resource-routes.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import type { VersionLifecycle } from './lifecycle.ts';
import type { JudgedVersion } from './transitions.ts';

/** What the operations of one kind of versions are called, and what they answer. */
export interface VersionRoutes<Content> {
  /** Part of the operations' ids: "plan". */
  kind: string;
  /** As in "a plan", "an add-on". */
  noun: { article: 'a' | 'an'; name: string };
  /** Of one version, in OpenAPI form: "/plans/{id}". */
  path: string;
  tag: string;
  schema: z.ZodType;
  service: VersionLifecycle<Content>;
  body(judged: JudgedVersion<Content>): object;
  /** What differs between the kinds. */
  descriptions: { remove: string; archive: string; next: string };
}

/** Registers reading, deleting, publishing and archiving one version, and making the next: the same for all kinds. */
export function versionRoutes<Content>(router: Router, routes: VersionRoutes<Content>): void {
  const { kind, noun, path, tag, schema, service, body, descriptions } = routes;
  const name = /\{(\w+)\}/.exec(path)?.[1] ?? 'id';
  const params = z.object({ [name]: ulidSchema });
  const idOf = (given: Record<string, string>): string => given[name] ?? '';
  resourceRoutes(router, {
    kind,
    name: noun.name,
    path,
    tag,
    schema,
    get: {
      answer: 'The version; a deleted one carries deleted_at.',
      run: async (id) => body(await service.get(id)),
    },
    remove: { description: descriptions.remove, access: 'write', run: service.remove },
  });
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
