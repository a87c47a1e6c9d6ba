import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from './env.ts';
import { isBehindTls } from './own-origin.ts';

/** For answers that no browser should show as a page, and for everything that says nothing else. */
const POLICY = "default-src 'none'; frame-ancestors 'none'";
const TWO_YEARS_IN_SECONDS = 63_072_000;

/**
 * What every answer tells browsers: take the type as it is said, frame nothing, tell no other site where one came from.
 * Answers of the API are kept by nobody on the way. Behind TLS: never come without it again.
 */
export function securityHeaders(): MiddlewareHandler<AppEnv> {
  return async function securityHeaders(c, next) {
    await next();
    // Set directly: for each call of c.header() after the handler the whole answer would be made anew.
    const { headers } = c.res;
    headers.set('X-Content-Type-Options', 'nosniff');
    headers.set('Referrer-Policy', 'no-referrer');
    headers.set('Content-Security-Policy', framedByNobody(headers.get('Content-Security-Policy')));
    if (/^\/(?:v3|api)\//.test(c.req.path) && !headers.has('Cache-Control')) headers.set('Cache-Control', 'no-store');
    if (isBehindTls(c)) headers.set('Strict-Transport-Security', `max-age=${TWO_YEARS_IN_SECONDS}`);
  };
}

/** A page's own policy says what it may load; default-src says nothing of who may frame it. */
function framedByNobody(policy: string | null): string {
  if (policy === null) return POLICY;
  return policy.includes('frame-ancestors') ? policy : `${policy}; frame-ancestors 'none'`;
}
