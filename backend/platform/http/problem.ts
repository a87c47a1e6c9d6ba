import type { ErrorHandler } from 'hono';
import { defined, filled } from '../defined.ts';
import {
  ClientGone,
  DomainProblem,
  type InvalidParameter,
  PROBLEM_STATUS,
  type ProblemKind,
  RequestProblem,
  type ValidationError,
} from '../errors.ts';
import type { Logger } from '../log.ts';
import { redactText } from '../redact.ts';
import type { AppEnv } from './env.ts';

const TITLES: Record<ProblemKind, string> = {
  'bad-request': 'Bad Request',
  unauthenticated: 'Unauthorized',
  unauthorized: 'Forbidden',
  'not-found': 'Not Found',
  'method-not-allowed': 'Method Not Allowed',
  'resource-conflict': 'Conflict',
  gone: 'Gone',
  'precondition-failed': 'Precondition Failed',
  'content-too-large': 'Content Too Large',
  'unsupported-media-type': 'Unsupported Media Type',
  'too-many-requests': 'Too Many Requests',
  internal: 'Internal Server Error',
  'not-implemented': 'Not Implemented',
  unavailable: 'Service Unavailable',
};

const CLIENT_CLOSED_REQUEST = 499;

// More entries than this help nobody, and a batch of 100,000 bad events would make an answer larger than its request.
const MAX_INVALID_PARAMETERS = 100;

/** A problem document in form A (request checks) of the contract. */
export function requestProblemBody(
  kind: ProblemKind,
  detail: string,
  requestId: string,
  invalidParameters: readonly InvalidParameter[] = [],
): Record<string, unknown> {
  const body: Record<string, unknown> = {
    type: `https://kongapi.info/konnect/${kind}`,
    status: PROBLEM_STATUS[kind],
    title: TITLES[kind],
    instance: `urn:request:${requestId}`,
    detail,
  };
  if (PROBLEM_STATUS[kind] === 400) {
    // The contract requires the list on every 400, with at least one entry.
    const listed = invalidParameters.length > 0 ? invalidParameters : [wholeBody(detail)];
    body['invalid_parameters'] = withoutRepeats(listed.slice(0, MAX_INVALID_PARAMETERS));
  }
  return body;
}

/** The contract wants each entry once; two branches of a schema may refuse the same for the same reason. */
function withoutRepeats(parameters: readonly InvalidParameter[]): InvalidParameter[] {
  return [...new Map(parameters.map((parameter) => [JSON.stringify(parameter), parameter])).values()];
}

function wholeBody(reason: string): InvalidParameter {
  return { field: 'body', rule: 'invalid', reason, source: 'body' };
}

/** Turns whatever was thrown into problem+json. What we did not foresee is logged and answered without its text. */
export function problemHandler(log: Logger): ErrorHandler<AppEnv> {
  return function handleProblem(error, c) {
    const requestId = c.get('requestId');
    if (error instanceof RequestProblem) {
      const status = PROBLEM_STATUS[error.kind];
      const body = requestProblemBody(error.kind, error.message, requestId, error.invalidParameters);
      return problemResponse(status, body, {
        ...(error.kind === 'unauthenticated' && { 'WWW-Authenticate': 'Bearer' }),
        ...(error.retryAfterSeconds !== undefined && { 'Retry-After': String(error.retryAfterSeconds) }),
      });
    }
    if (error instanceof DomainProblem) {
      const status = PROBLEM_STATUS[error.kind];
      return problemResponse(status, {
        type: 'about:blank',
        status,
        title: TITLES[error.kind],
        instance: `urn:request:${requestId}`,
        detail: error.message,
        ...(status === 400 && { invalid_parameters: withoutRepeats(parametersOf(error)) }),
        ...(error.extensions && { extensions: error.extensions }),
      });
    }
    // As proxies write it; it goes nowhere but into the line that each request has.
    if (error instanceof ClientGone) return new Response(null, { status: CLIENT_CLOSED_REQUEST });
    if (isDiskTrouble(error)) {
      log.error({ requestId, err: error }, 'the disk takes no more');
      const detail = 'Nothing of the request was stored: there is no room on the disk. Try again later.';
      return problemResponse(503, requestProblemBody('unavailable', detail, requestId), { 'Retry-After': '30' });
    }
    log.error({ requestId, err: error }, 'request failed');
    return problemResponse(
      500,
      requestProblemBody('internal', 'The request failed; the log has the cause.', requestId),
    );
  };
}

/** As SQLite and the system say that there is no room; the code is kept through the store's threads. */
function isDiskTrouble(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT';
}

/** A 400 names its fields in the common list too, whichever form it has. */
function parametersOf(error: DomainProblem): InvalidParameter[] {
  const listed = error.extensions?.['validationErrors'];
  if (!Array.isArray(listed)) return [wholeBody(error.message)];
  return (listed as ValidationError[]).map(({ field, message }) => ({
    ...wholeBody(message),
    ...defined({ field: filled(field) }),
  }));
}

/** A problem quotes paths and names that a client sent; a token that stood there by mistake must go no further. */
export function problemResponse(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(redactText(JSON.stringify(body)), {
    status,
    headers: { 'Content-Type': 'application/problem+json', ...headers },
  });
}
