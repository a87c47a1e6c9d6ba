import { type Context, Hono } from 'hono';
import { DomainProblem, PROBLEM_STATUS, RequestProblem } from '../errors.ts';
import { parseJsonText } from '../json.ts';
import { type ChangeHints, type ChangeTarget, changeTarget } from './change-target.ts';
import type { ChangeRecorder, IntendedChange } from './changes.ts';
import { clientAddress } from './client-address.ts';
import type { AppEnv, Caller } from './env.ts';
import { answeredValue } from './json-answer.ts';

type HttpContext = Context<AppEnv>;

interface RecordedOperation {
  method: string;
  path: string;
  operationId: string;
  responses: Readonly<Record<number, unknown>>;
  changes?: ChangeHints | undefined;
}

type Handle = () => Promise<Response> | Response;

/** Has each change of a router's operations recorded, with the resource before and after it. */
export interface Recording {
  /** Makes a GET known; it shows resources before and after their changes, asked within the process. */
  addRead(path: string, handle: (c: HttpContext) => Promise<Response> | Response): void;
  /** Runs an operation that changes something. */
  change(operation: RecordedOperation, c: HttpContext, request: unknown, handle: Handle): Promise<Response>;
  /** Records that a caller's role does not suffice. */
  refused(operation: RecordedOperation, c: HttpContext, caller: Caller): Promise<void>;
}

export function createRecording(recorder: ChangeRecorder): Recording {
  const reads = new Hono<AppEnv>();
  reads.onError((error, c) => c.body(null, error instanceof RequestProblem && error.kind === 'not-found' ? 404 : 500));
  const readable = new Set<string>();
  const read = (target: ChangeTarget, c: HttpContext) => readJson(reads, target.reads, c);
  return {
    addRead(path, handle) {
      readable.add(path);
      reads.get(honoPath(path), handle);
    },
    async change(operation, c, request, handle) {
      const caller = c.get('caller');
      if (caller === undefined) return handle();
      const target = changeTarget(operation, readable);
      const before = await read(target, c);
      const end = await recorder.begin({ ...attemptOf(operation, target, c, caller), request, before });
      let response: Response;
      try {
        response = await handle();
      } catch (error) {
        const status = statusOf(error);
        // What was refused has changed nothing; of what failed nobody knows without looking.
        await end({ status, after: status < 500 ? undefined : await read(target, c) });
        throw error;
      }
      const answer = await jsonOf(response);
      const after = target.reads === undefined ? answer : await read(target, c);
      await end({
        status: response.status,
        after,
        resourceId: target.idParam === undefined ? idIn(answer) : undefined,
      });
      return response;
    },
    refused: (operation, c, caller) =>
      recorder.refused(attemptOf(operation, changeTarget(operation, readable), c, caller)),
  };
}

function attemptOf(
  { operationId }: RecordedOperation,
  target: ChangeTarget,
  c: HttpContext,
  caller: Caller,
): IntendedChange {
  return {
    caller,
    clientAddress: clientAddress(c),
    requestId: c.get('requestId'),
    operationId,
    method: c.req.method,
    path: c.req.path,
    resourceType: target.type,
    resourceId: target.idParam === undefined ? undefined : c.req.param(target.idParam),
  };
}

/** OpenAPI's "/meters/{meterId}" as Hono writes it. */
export function honoPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}

async function readJson(reads: Hono<AppEnv>, path: string | undefined, c: HttpContext): Promise<unknown> {
  if (path === undefined) return undefined;
  const url = path.replace(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(c.req.param(name) ?? ''));
  const response = await reads.request(url);
  const json = response.status === 200 ? await jsonOf(response) : undefined;
  // Nobody takes its text: what it would be made of is not to wait for that.
  if (!response.bodyUsed) await response.body?.cancel();
  return json;
}

/** The answer's JSON, the answer itself stays unread; undefined for others. */
async function jsonOf(response: Response): Promise<unknown> {
  const value = answeredValue(response);
  if (value !== undefined) return value;
  if (!(response.headers.get('content-type') ?? '').startsWith('application/json')) return undefined;
  return parseJsonText(await response.clone().text());
}

function idIn(answer: unknown): string | undefined {
  const id = typeof answer === 'object' && answer !== null && 'id' in answer ? answer.id : undefined;
  return typeof id === 'string' ? id : undefined;
}

function statusOf(error: unknown): number {
  return error instanceof RequestProblem || error instanceof DomainProblem ? PROBLEM_STATUS[error.kind] : 500;
}
