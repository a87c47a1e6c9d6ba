/** What an operation is: the source of its checks, of its documentation and of the types of its handler. */
import type { z } from '@hono/zod-openapi';
import type { ChangeHints } from './change-target.ts';
import type { HttpContext } from './env.ts';
import type { Query } from './query.ts';
import type { Access } from './roles.ts';

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
export interface Endpoint<
  Params extends z.ZodObject,
  Body extends z.ZodType,
  Answers extends Responses = Responses,
  Asked = unknown,
> {
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
  /** Query parameters: see query.ts. */
  query?: Query<Asked>;
  /** A JSON body that is read and checked before the handler runs. */
  body?: Body;
  /** Whether the body may be left out, since everything in it has a default. */
  bodyIsOptional?: true;
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

export interface Input<
  Params extends z.ZodObject,
  Body extends z.ZodType,
  Answers extends Responses = Responses,
  Asked = unknown,
> {
  c: HttpContext;
  /** Answers in JSON, with 200 unless another status is said. Any list in it may be long. */
  answer: AnswerJson<Answers>;
  params: z.output<Params>;
  query: Asked;
  body: z.output<Body>;
}

export interface NotImplemented extends Pick<Endpoint<z.ZodObject, z.ZodType>, 'method' | 'path' | 'operationId'> {
  access: Access;
  /** Half a sentence: why it is not there. */
  reason: string;
}

/** A JSON answer's documentation. */
export function jsonResponse<Schema extends z.ZodType>(description: string, schema: Schema): JsonResponseDoc<Schema> {
  return { description, content: { 'application/json': { schema } } };
}
