import { z } from '@hono/zod-openapi';
import type { Caller } from './env.ts';
import type { Query } from './query.ts';
import type { Access } from './roles.ts';
import { jsonResponse, type Router, type Unchanged } from './router.ts';
import { ulidSchema } from './schemas.ts';

/** What is answered, or will be. */
type Answered<Schema extends z.ZodType> = Promise<Unchanged<z.input<Schema>>> | Unchanged<z.input<Schema>>;

/** What an operation says of itself where the resource does not say it. */
interface Words {
  operationId?: string;
  summary?: string;
  description?: string;
}

interface Create<Schema extends z.ZodType, Body extends z.ZodType> extends Words {
  answer: string;
  access: Access;
  body: Body;
  run(body: z.output<Body>): Answered<Schema>;
}

interface List<Page extends z.ZodType, Asked> extends Words {
  /** "A page of tax codes." */
  answer: string;
  access?: Access;
  page: Page;
  query: Query<Asked>;
  run(query: Asked): Answered<Page>;
}

interface Get<Schema extends z.ZodType> {
  /** "The tax code; a deleted one carries deleted_at." */
  answer: string;
  access?: Access;
  /** @param caller undefined where the audit log asks: what not everybody is told is not written down either */
  run(id: string, caller: Caller | undefined): Answered<Schema>;
}

interface Change<Schema extends z.ZodType, Body extends z.ZodType> {
  method?: 'put' | 'patch';
  verb: 'update' | 'upsert';
  description?: string;
  answer: string;
  access: Access;
  body: Body;
  run(id: string, body: z.output<Body>): Answered<Schema>;
}

/** Answers 204. */
interface Remove {
  verb?: string;
  description: string;
  answer?: string;
  access: Access;
  run(id: string): Promise<unknown>;
}

/** A resource: what its operations share, and those that it has. The document has them in the order in which they are named. */
export interface ResourceRoutes<
  Schema extends z.ZodType,
  Page extends z.ZodType,
  Asked,
  Created extends z.ZodType,
  Changed extends z.ZodType,
> {
  /** Part of the operations' ids: "tax-code"; with an "s" in that of the list. */
  kind: string;
  /** As the summaries name it: "tax code", "a billing profile". */
  name: string;
  /** As the summary of the list names them; default the name with an "s". */
  names?: string;
  /** OpenAPI form, its id at the end and the only parameter: "/tax-codes/{taxCodeId}". */
  path: string;
  tag: string;
  schema: Schema;
  create?: Create<Schema, Created>;
  list?: List<Page, Asked>;
  get?: Get<Schema>;
  change?: Change<Schema, Changed>;
  remove?: Remove;
}

/** Registers the operations of a resource. An id that is none answers 404. */
export function resourceRoutes<
  Schema extends z.ZodType,
  Page extends z.ZodType = z.ZodType,
  Asked = unknown,
  Created extends z.ZodType = z.ZodType,
  Changed extends z.ZodType = z.ZodType,
>(router: Router, routes: ResourceRoutes<Schema, Page, Asked, Created, Changed>): void {
  const { create, list, get, change, remove } = routes;
  const register: Readonly<Record<string, (() => void) | undefined>> = {
    create: create && (() => createRoute(router, routes, create)),
    list: list && (() => listRoute(router, routes, list)),
    get: get && (() => getRoute(router, routes, get)),
    change: change && (() => changeRoute(router, routes, change)),
    remove: remove && (() => removeRoute(router, routes, remove)),
  };
  for (const operation of Object.keys(routes)) register[operation]?.();
}

type Resource<Schema extends z.ZodType> = Pick<
  ResourceRoutes<Schema, z.ZodType, never, z.ZodType, z.ZodType>,
  'kind' | 'name' | 'names' | 'path' | 'tag' | 'schema'
>;

function createRoute<Schema extends z.ZodType, Body extends z.ZodType>(
  router: Router,
  { kind, name, path, tag, schema }: Resource<Schema>,
  { answer: said, run, ...rest }: Create<Schema, Body>,
): void {
  const shared = { tag, path: collectionOf(path), ...worded('create', kind, name) };
  router.endpoint(
    { ...shared, ...rest, method: 'post', responses: { 201: jsonResponse(said, schema) } },
    async ({ answer, body }) => answer(await run(body), 201),
  );
}

function listRoute<Page extends z.ZodType, Asked>(
  router: Router,
  { kind, name, names = `${name}s`, path, tag }: Resource<z.ZodType>,
  { answer: said, run, page, access = 'read', ...rest }: List<Page, Asked>,
): void {
  const shared = { tag, path: collectionOf(path), ...worded('list', `${kind}s`, names) };
  router.endpoint(
    { ...shared, ...rest, access, method: 'get', responses: { 200: jsonResponse(said, page) } },
    async ({ answer, query }) => answer(await run(query)),
  );
}

function getRoute<Schema extends z.ZodType>(
  router: Router,
  { kind, name, path, tag, schema }: Resource<Schema>,
  { answer: said, run, access = 'read' }: Get<Schema>,
): void {
  const { params, idOf } = idIn(path);
  const shared = { tag, path, params, ...worded('get', kind, name) };
  router.endpoint(
    { ...shared, access, method: 'get', responses: { 200: jsonResponse(said, schema) } },
    async ({ c, answer, params: given }) => answer(await run(idOf(given), c.get('caller'))),
  );
}

function changeRoute<Schema extends z.ZodType, Body extends z.ZodType>(
  router: Router,
  { kind, name, path, tag, schema }: Resource<Schema>,
  { method = 'put', verb, answer: said, run, ...rest }: Change<Schema, Body>,
): void {
  const { params, idOf } = idIn(path);
  const shared = { tag, path, params, ...worded(verb, kind, name) };
  router.endpoint(
    { ...shared, ...rest, method, responses: { 200: jsonResponse(said, schema) } },
    async ({ answer, params: given, body }) => answer(await run(idOf(given), body)),
  );
}

function removeRoute(
  router: Router,
  { kind, name, path, tag }: Resource<z.ZodType>,
  { verb = 'delete', answer: said = 'Deleted.', run, ...rest }: Remove,
): void {
  const { params, idOf } = idIn(path);
  const shared = { tag, path, params, ...worded(verb, kind, name) };
  router.endpoint(
    { ...shared, ...rest, method: 'delete', responses: { 204: { description: said } } },
    async ({ c, params: given }) => {
      await run(idOf(given));
      return c.body(null, 204);
    },
  );
}

/** The parameter at the end of a path. */
export function idIn(path: string) {
  const name = /\{(\w+)\}$/.exec(path)?.[1] ?? 'id';
  return {
    params: z.object({ [name]: ulidSchema }),
    idOf: (given: Record<string, string>): string => given[name] ?? '',
  };
}

function collectionOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function worded(verb: string, kind: string, name: string) {
  return { operationId: `${verb}-${kind}`, summary: `${verb.charAt(0).toUpperCase()}${verb.slice(1)} ${name}` };
}
