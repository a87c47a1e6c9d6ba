import { OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { invalidParameter, notFound, RequestProblem } from '../errors.ts';
import { requireAccess, type SessionCallers, type VerifyToken } from './auth.ts';
import { mediaType, readJsonBody } from './body.ts';
import type { CallerLimits } from './caller-limits.ts';
import type { ChangeHints } from './change-target.ts';
import type { ChangeRecorder } from './changes.ts';
import type { AppEnv, Caller } from './env.ts';
import { jsonAnswer } from './json-answer.ts';
import { tooLongList } from './list-bounds.ts';
import { badRequestSchema, problemSchema } from './problem-schema.ts';
import { type QueryParams, readQueryParams } from './query-params.ts';
import { createRecording, honoPath } from './recording.ts';
import type { Access } from './roles.ts';
import { upperBound, validate, wantsExactNumbers } from './validation.ts';

export type HttpContext = Context<AppEnv>;

export type ResponseDoc = { description: string; content?: Record<string, { schema: z.ZodType }> };
/** Success answers by status. */
export type Responses = Readonly<Record<number, ResponseDoc>>;
/** An answer in JSON: what handlers give has to be what the schema says. */
export type JsonResponseDoc<Schema extends z.ZodType> = {
  description: string;
  content: { 'application/json': { schema: Schema } };
};

/** What an operation answers in JSON with a status; `never` where it does not. */
type AnswerOf<Doc> = Doc extends JsonResponseDoc<infer Schema> ? Unchanged<z.input<Schema>> : never;

/** An answer is only read: lists in it may be constants. */
export type Unchanged<Value> = Value extends readonly (infer Item)[]
  ? readonly Unchanged<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Unchanged<Value[Key]> }
    : Value;

/** Answers in JSON: only what the operation says that it answers. */
export type AnswerJson<Answers extends Responses> = <Status extends keyof Answers & number = keyof Answers & 200>(
  value: AnswerOf<Answers[Status]>,
  status?: Status,
) => Response;

/** What an operation is called, asks for and answers: the source of both its checks and its documentation. */
export interface Endpoint<Params extends z.ZodObject, Body extends z.ZodType, Answers extends Responses = Responses> {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** OpenAPI form, relative to the router: "/meters/{meterId}". */
  path: string;
  operationId: string;
  tag: string;
  summary: string;
  description?: string;
  /** What the caller's role must include; 'public' needs no token. */
  access: Access | 'public';
  /** Path parameters. One that does not match answers 404, as nothing can exist under such an id. */
  params?: Params;
  /** Query parameters, for the documentation; handlers read them with paging, sorting and filtering. */
  query?: z.ZodObject;
  /** A JSON body that is read and checked before the handler runs. */
  body?: Body;
  /** For bodies that the handler reads itself: their documentation by media type. */
  rawBody?: Record<string, z.ZodType>;
  /** Success answers by status. */
  responses: Answers;
  /** For the audit log, where the path does not tell which resource is changed. */
  changes?: ChangeHints;
  /** Whether the audit log has it; what asks for `write` or `administer` and is no GET is always in it. */
  recorded?: true;
  /** Requests that change nothing after all, such as a trial run. */
  changesNothing?: (body: z.output<Body>) => boolean;
}

export interface Input<Params extends z.ZodObject, Body extends z.ZodType, Answers extends Responses = Responses> {
  c: HttpContext;
  /** Answers in JSON, with 200 unless another status is said. Any list in it may be long. */
  answer: AnswerJson<Answers>;
  params: z.output<Params>;
  query: QueryParams;
  body: z.output<Body>;
}

/** Routes of one mount point: checks, roles and documentation of each operation in one place. */
export interface Router {
  readonly app: OpenAPIHono<AppEnv>;
  endpoint<
    const Answers extends Responses,
    Params extends z.ZodObject = z.ZodObject,
    Body extends z.ZodType = z.ZodType,
  >(
    endpoint: Endpoint<Params, Body, Answers>,
    handler: (input: Input<Params, Body, Answers>) => Promise<Response> | Response,
  ): void;
  /** An operation that others have and we do not: 501 to callers who might use it, as the document says too. */
  notImplemented(operation: NotImplemented): void;
}

export interface NotImplemented extends Pick<Endpoint<z.ZodObject, z.ZodType>, 'method' | 'path' | 'operationId'> {
  access: Access;
  /** Half a sentence: why it is not there. */
  reason: string;
}

const UNSERVED_TAG = 'Not served';

/**
 * @param verify finds the caller of a bearer token
 * @param options.recorder is told of every change
 * @param options.limits say how often something may be asked
 * @param options.sessions finds the caller of a session; without it only tokens are taken
 */
export function createRouter(
  verify: VerifyToken,
  options: {
    recorder?: ChangeRecorder | undefined;
    limits?: CallerLimits | undefined;
    sessions?: SessionCallers | undefined;
  } = {},
): Router {
  const { recorder, limits, sessions } = options;
  const app = new OpenAPIHono<AppEnv>();
  const recording = recorder && createRecording(recorder);
  return {
    app,
    endpoint(endpoint, handler) {
      const { method, access } = endpoint;
      app.openAPIRegistry.registerPath(documentation(endpoint, sessions !== undefined));
      const path = honoPath(endpoint.path);
      if (access !== 'public') {
        const onRefused = recording && ((c: HttpContext, caller: Caller) => recording.refused(endpoint, c, caller));
        app.on(method, path, requireAccess(access, verify, { sessions, limits, onRefused }));
      }
      const isChange = endpoint.recorded ?? (method !== 'get' && (access === 'write' || access === 'administer'));
      const isExact = endpoint.body !== undefined && wantsExactNumbers(endpoint.body);
      const handle = async (c: HttpContext) => {
        const answer = (value: object, status?: ContentfulStatusCode) => jsonAnswer(c, value, status);
        const params = readPathParams(endpoint.params, c);
        const query = readQueryParams(c.req.url);
        const body = await readBody(endpoint.body, isExact, c);
        const handleIt = () => handler({ c, answer, params, query, body } as never);
        if (recording === undefined || !isChange || endpoint.changesNothing?.(body as never)) return handleIt();
        return recording.change(endpoint, c, body, handleIt);
      };
      app.on(method, path, (c) => {
        if (!isChange) c.set('isReading', true);
        return handle(c);
      });
      if (method === 'get') recording?.addRead(endpoint.path, handle);
    },
    notImplemented(operation) {
      const { method, path, operationId, access, reason } = operation;
      app.openAPIRegistry.registerPath(unservedDocumentation(operation, sessions !== undefined));
      app.on(method, honoPath(path), requireAccess(access, verify, { sessions, limits }), () => {
        throw new RequestProblem('not-implemented', `This server does not have ${operationId}: ${reason}.`);
      });
    },
  };
}

function readPathParams(schema: z.ZodObject | undefined, c: HttpContext): unknown {
  if (schema === undefined) return {};
  const result = schema.safeParse(c.req.param());
  if (result.success) return result.data;
  throw notFound('entity', Object.values(c.req.param()).join('/'));
}

async function readBody(schema: z.ZodType | undefined, isExact: boolean, c: HttpContext): Promise<unknown> {
  if (schema === undefined) return undefined;
  const type = mediaType(c);
  if (type !== undefined && type !== 'application/json' && !type.endsWith('+json')) {
    throw invalidParameter({
      field: 'Content-Type',
      rule: 'enum',
      reason: 'must be application/json',
      choices: ['application/json'],
      source: 'header',
    });
  }
  const body = await readJsonBody(c, { isExact });
  const hidden = pathOfProto(body, []);
  if (hidden !== undefined) {
    throw invalidParameter({ field: hidden, rule: 'unknown_property', reason: 'unknown property', source: 'body' });
  }
  const long = tooLongList(schema, body);
  if (long !== undefined) {
    const field = long.path.length === 0 ? 'body' : long.path.map(String).join('.');
    throw invalidParameter({ field, ...upperBound('array', long.maximum), source: 'body' });
  }
  return validate(schema, body, 'body');
}

/** Schemas of free-form objects drop "__proto__" silently; no resource has such a key, so it is named instead. */
function pathOfProto(value: unknown, path: readonly string[]): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, '__proto__')) return [...path, '__proto__'].join('.');
  for (const key of Object.keys(value)) {
    const child = (value as Record<string, unknown>)[key];
    // Most values have nothing in them: no path is made for these.
    const found = typeof child === 'object' && child !== null ? pathOfProto(child, [...path, key]) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function documentation<Params extends z.ZodObject, Body extends z.ZodType>(
  endpoint: Endpoint<Params, Body>,
  takesSessions: boolean,
) {
  const secured = endpoint.access !== 'public';
  const bodies = endpoint.rawBody ?? (endpoint.body && { 'application/json': endpoint.body });
  return {
    method: endpoint.method,
    path: endpoint.path,
    operationId: endpoint.operationId,
    tags: [endpoint.tag],
    summary: endpoint.summary,
    description: endpoint.description ?? `${endpoint.summary}.`,
    ...security(endpoint.access, takesSessions),
    request: {
      ...(endpoint.params && { params: endpoint.params }),
      ...(endpoint.query && { query: endpoint.query }),
      ...(bodies && {
        body: {
          required: true,
          content: Object.fromEntries(Object.entries(bodies).map(([type, schema]) => [type, { schema }])),
        },
      }),
    },
    responses: {
      ...endpoint.responses,
      400: problem('Bad request', badRequestSchema),
      ...(secured && refusals()),
      ...(endpoint.params && { 404: problem('Not found') }),
    },
  };
}

/** Whom it is for; "no security" is said too, since silence would mean the document's own, of which there is none. */
function security(access: Access | 'public', takesSessions: boolean) {
  if (access === 'public') return { security: [] };
  return { security: [{ bearer: [] }, ...(takesSessions ? [{ session: [] }] : [])], 'x-access': access };
}

function unservedDocumentation({ method, path, operationId, access, reason }: NotImplemented, takesSessions: boolean) {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  return {
    method,
    path,
    operationId,
    tags: [UNSERVED_TAG],
    summary: `Not served: ${operationId}`,
    description: `This server answers 501: ${reason}.`,
    ...security(access, takesSessions),
    ...(names.length > 0 && {
      request: { params: z.object(Object.fromEntries(names.map((name) => [name, z.string()]))) },
    }),
    responses: { ...refusals(), 501: problem('Not implemented') },
  };
}

function problem(description: string, schema: z.ZodType = problemSchema): ResponseDoc {
  return { description, content: { 'application/problem+json': { schema } } };
}

function refusals() {
  return { 401: problem('Unauthorized'), 403: problem('Forbidden'), 429: problem('Too many requests') };
}

/** A JSON answer's documentation. */
export function jsonResponse<Schema extends z.ZodType>(description: string, schema: Schema): JsonResponseDoc<Schema> {
  return { description, content: { 'application/json': { schema } } };
}
