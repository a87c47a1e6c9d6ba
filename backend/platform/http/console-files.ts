import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serveStatic } from '@hono/node-server/serve-static';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { AppEnv } from './env.ts';

/** Scripts, styles and data come from this server only, and nothing may frame the pages. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const SECURITY_HEADERS = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

/** The names of built files carry a hash of their content: a new content has a new name. */
const FOREVER = 'public, max-age=31536000, immutable';

/** The first parts of addresses that are no pages of the console: an unknown one there is an error, not a page. */
const NOT_PAGES = ['v3', 'api', 'assets', 'docs', 'openapi.json', 'openapi.yaml', 'healthz', 'readyz', 'metrics'];

/**
 * Serves the built console at "/": its files, and its start page for every other address, since the console itself
 * knows its pages. Does nothing where it has not been built.
 * @param folder of the built console: dist/console
 */
export function serveConsole(app: OpenAPIHono<AppEnv>, folder: string): void {
  const startPage = join(folder, 'index.html');
  if (!existsSync(startPage)) return;
  const html = readFileSync(startPage, 'utf8');
  app.use(
    '/assets/*',
    serveStatic({
      root: folder,
      precompressed: true,
      onFound: (_path, c) => {
        c.header('Cache-Control', FOREVER);
        c.header('X-Content-Type-Options', 'nosniff');
      },
    }),
  );
  app.get('/favicon.svg', serveStatic({ root: folder, path: 'favicon.svg' }));
  app.get('/*', async (c, next) => {
    const first = c.req.path.split('/', 2)[1] ?? '';
    if (NOT_PAGES.includes(first)) return next();
    // Not cached: it names the files of this build.
    return c.html(html, 200, { ...SECURITY_HEADERS, 'Cache-Control': 'no-cache' });
  });
}
