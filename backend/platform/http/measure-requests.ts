import type { MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { AppEnv } from './env.ts';

/** An answered request, with nothing in it that a client may choose freely. */
export interface MeasuredRequest {
  method: string;
  /** As it was registered, "/v3/openmeter/meters/:meterId"; "other" for what no route has. */
  route: string;
  status: number;
  tookMs: number;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Tells of each request when it is answered. Paths and methods of clients' own making share one name: each would be a series. */
export function measureRequests(tell: (request: MeasuredRequest) => void): MiddlewareHandler<AppEnv> {
  return async function measureRequest(c, next) {
    const beganAtMs = performance.now();
    await next();
    const matched = matchedRoutes(c).find(({ method, path }) => method !== 'ALL' && !path.includes('*'));
    tell({
      method: METHODS.has(c.req.method) ? c.req.method : 'other',
      route: matched?.path ?? 'other',
      status: c.res.status,
      tookMs: performance.now() - beganAtMs,
    });
  };
}
