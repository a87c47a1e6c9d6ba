import { OpenAPIHono, type z } from '@hono/zod-openapi';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { RequestProblem } from '../errors.ts';
import { requireAccess, type SessionCallers, type VerifyToken } from './auth.ts';
import type { CallerLimits } from './caller-limits.ts';
import type { ChangeRecorder } from './changes.ts';
import { documentation, unservedDocumentation } from './documentation.ts';
import type { Endpoint, Input, NotImplemented, Responses } from './endpoint.ts';
import type { AppEnv, Caller, HttpContext } from './env.ts';
import { jsonAnswer } from './json-answer.ts';
import { readQueryParams } from './query-params.ts';
import { readBody, readPathParams } from './read-request.ts';
import { createRecording, honoPath } from './recording.ts';
import { wantsExactNumbers } from './validation.ts';

export { jsonResponse, type Unchanged } from './endpoint.ts';
export type { HttpContext } from './env.ts';

/** Routes of one mount point: checks, roles and documentation of each operation in one place. */
export interface Router {
  readonly app: OpenAPIHono<AppEnv>;
  endpoint<
    const Answers extends Responses,
    Params extends z.ZodObject = z.ZodObject,
    Body extends z.ZodType = z.ZodType,
    Asked = unknown,
  >(
    endpoint: Endpoint<Params, Body, Answers, Asked>,
    handler: (input: Input<Params, Body, Answers, Asked>) => Promise<Response> | Response,
  ): void;
  /** An operation that others have and we do not: 501 to callers who might use it, as the document says too. */
  notImplemented(operation: NotImplemented): void;
}

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
      const read = readerOf(endpoint);
      const handle = async (c: HttpContext) => {
        const answer = (value: object, status?: ContentfulStatusCode) => jsonAnswer(c, value, status);
        const { params, query, body } = await read(c);
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

/** Reads what an operation asks for: all of it is checked before the operation begins. */
function readerOf({ params, query, body, bodyIsOptional }: Endpoint<z.ZodObject, z.ZodType>) {
  const options = { isExact: body !== undefined && wantsExactNumbers(body), isOptional: bodyIsOptional === true };
  return async (c: HttpContext) => {
    const readParams = params === undefined ? {} : readPathParams(params, c);
    const given = readQueryParams(c.req.url);
    return {
      params: readParams,
      query: query?.read(given),
      body: body === undefined ? undefined : await readBody(c, body, options),
    };
  };
}
