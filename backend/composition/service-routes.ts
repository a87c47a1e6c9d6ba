import { problemResponse } from '../platform/http/problem.ts';
import { referencePage } from '../platform/http/reference-page.ts';
import type { App, AppParts } from './parts.ts';

/** OpenMeter's own clients use /api/v3 where Konnect's use /v3: both lead to the same routes. */
export function pathWithoutAlias(request: Request): string {
  const { pathname } = new URL(request.url);
  return pathname.startsWith('/api/v3/') ? pathname.slice('/api'.length) : pathname;
}

export function healthRoutes(app: App, { usage, db, log }: AppParts): void {
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', async (c) => {
    const checks = { usage_store: usage.check(), control_database: db.check() };
    const failed: string[] = [];
    for (const [name, check] of Object.entries(checks)) {
      await check.catch((error: unknown) => {
        log.error({ err: error, check: name }, 'not ready');
        failed.push(name);
      });
    }
    return failed.length === 0 ? c.json({ status: 'ready' }) : problemResponse(503, { status: 'not ready', failed });
  });
}

export function documentationRoutes(app: App, version: string): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'Metering and Billing for Kong Gateway',
      version,
      description:
        'The operations of Konnect Metering & Billing that this server has, and its own additions. Everything under ' +
        '/v3/openmeter is served under /api/v3/openmeter too.',
    },
  });
  referencePage(app, 'Metering and Billing API');
}
