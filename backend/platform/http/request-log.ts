import { randomUUID } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { redactText } from '../redact.ts';
import type { AppEnv } from './env.ts';

// What a client may choose as its request id: it is echoed in headers, problems and logs.
const SAFE_REQUEST_ID = /^[\w.:-]{1,128}$/;

/** Gives each request an id (the client's X-Request-Id when it is harmless) and writes one log line when it is answered. */
export function logRequests(log: Logger, clock: Clock): MiddlewareHandler<AppEnv> {
  return async function logRequest(c, next) {
    const given = c.req.header('x-request-id');
    const requestId = given !== undefined && isHarmless(given) ? given : randomUUID();
    c.set('requestId', requestId);
    const startedAtMs = clock.nowMs();
    await next();
    c.header('X-Request-Id', requestId);
    const { method } = c.req;
    const path = redactText(c.req.path);
    const durationMs = clock.nowMs() - startedAtMs;
    // The query string stays out: filters may hold personal data.
    log.info({ requestId, method, path, status: c.res.status, durationMs }, 'request');
  };
}

function isHarmless(requestId: string): boolean {
  return SAFE_REQUEST_ID.test(requestId) && redactText(requestId) === requestId;
}
