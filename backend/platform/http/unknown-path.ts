import type { Hono, NotFoundHandler } from 'hono';
import type { AppEnv } from './env.ts';
import { problemResponse, requestProblemBody } from './problem.ts';

/**
 * Answers what no route answers: 405 with `Allow` where the path has other methods, 404 otherwise. No token is asked for:
 * which paths there are is documented for all.
 */
export function answerUnknown(app: Hono<AppEnv>): NotFoundHandler<AppEnv> {
  let known: Map<string, PathMethods> | undefined;
  return function answerUnknownPath(c) {
    known ??= methodsByPath(app);
    const allowed = new Set(
      [...known.values()].flatMap(({ matches, methods }) => (matches(c.req.path) ? methods : [])),
    );
    const requestId = c.get('requestId');
    // As it was asked for: a route may be registered under another one.
    const { pathname } = new URL(c.req.url);
    if (allowed.size === 0) {
      return problemResponse(404, requestProblemBody('not-found', `There is nothing at ${pathname}.`, requestId));
    }
    const allow = [...allowed].sort().join(', ');
    const detail = `${pathname} does not have the method ${c.req.method}; it has ${allow}.`;
    return problemResponse(405, requestProblemBody('method-not-allowed', detail, requestId), { Allow: allow });
  };
}

interface PathMethods {
  matches(path: string): boolean;
  methods: string[];
}

/** What is registered under a path of its own: neither middleware nor what answers for all paths. */
function methodsByPath(app: Hono<AppEnv>): Map<string, PathMethods> {
  const known = new Map<string, PathMethods>();
  for (const { method, path } of app.routes) {
    if (method === 'ALL' || path.includes('*')) continue;
    const pattern = new RegExp(`^${path.replace(/[.+?^$()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+')}$`);
    const entry = known.get(path) ?? { matches: (given) => pattern.test(given), methods: [] };
    // Hono answers HEAD wherever it answers GET.
    entry.methods.push(...(method === 'GET' ? ['GET', 'HEAD'] : [method]));
    known.set(path, entry);
  }
  return known;
}
