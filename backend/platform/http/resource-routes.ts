import { z } from '@hono/zod-openapi';
import type { Access } from './roles.ts';
import { jsonResponse, type Router, type Unchanged } from './router.ts';
import { ulidSchema } from './schemas.ts';

/** What is answered, or will be. */
type Answered<Schema extends z.ZodType> = Promise<Unchanged<z.input<Schema>>> | Unchanged<z.input<Schema>>;

/** One resource under its id: what its operations share, and those that it has. */
export interface ResourceRoutes<Schema extends z.ZodType, Body extends z.ZodType> {
  /** Part of the operations' ids: "tax-code". */
  kind: string;
  /** As the summaries name it: "tax code", "a billing profile". */
  name: string;
  /** OpenAPI form, its id the only parameter: "/tax-codes/{taxCodeId}". */
  path: string;
  tag: string;
  schema: Schema;
  get: {
    /** What is answered: "The tax code; a deleted one carries deleted_at." */
    answer: string;
    access?: Access;
    run(id: string): Answered<Schema>;
  };
  change?: {
    method?: 'put' | 'patch';
    verb: 'update' | 'upsert';
    description?: string;
    answer: string;
    access: Access;
    body: Body;
    run(id: string, body: z.output<Body>): Answered<Schema>;
  };
  /** Answers 204. */
  remove?: {
    verb?: string;
    description: string;
    answer?: string;
    access: Access;
    run(id: string): Promise<unknown>;
  };
}

/** Registers reading, changing and removing one resource by its id. An id that is none answers 404. */
export function resourceRoutes<Schema extends z.ZodType, Body extends z.ZodType = z.ZodType>(
  router: Router,
  routes: ResourceRoutes<Schema, Body>,
): void {
  const { kind, name, path, tag, schema, get, change, remove } = routes;
  const parameter = /\{(\w+)\}/.exec(path)?.[1] ?? 'id';
  const params = z.object({ [parameter]: ulidSchema });
  const idOf = (given: Record<string, string>): string => given[parameter] ?? '';
  const named = (verb: string) => ({
    operationId: `${verb}-${kind}`,
    summary: `${verb.charAt(0).toUpperCase()}${verb.slice(1)} ${name}`,
  });
  const shared = { path, tag, params };
  router.endpoint(
    {
      ...shared,
      ...named('get'),
      method: 'get',
      access: get.access ?? 'read',
      responses: { 200: jsonResponse(get.answer, schema) },
    },
    async ({ answer, params: given }) => answer(await get.run(idOf(given))),
  );
  if (change !== undefined) {
    const { method = 'put', verb, answer, run, ...rest } = change;
    router.endpoint(
      { ...shared, ...named(verb), ...rest, method, responses: { 200: jsonResponse(answer, schema) } },
      async ({ answer, params: given, body }) => answer(await run(idOf(given), body)),
    );
  }
  if (remove !== undefined) {
    const { verb = 'delete', answer = 'Deleted.', run, ...rest } = remove;
    router.endpoint(
      { ...shared, ...named(verb), ...rest, method: 'delete', responses: { 204: { description: answer } } },
      async ({ c, params: given }) => {
        await run(idOf(given));
        return c.body(null, 204);
      },
    );
  }
}
