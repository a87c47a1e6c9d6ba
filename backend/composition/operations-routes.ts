import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context } from 'hono';
import { Registry } from 'prom-client';
import type { BillingRuns } from '../billing/billing-runs/index.ts';
import { createGauges } from '../monitoring/gauges.ts';
import { createMetrics, processMetrics } from '../monitoring/metrics.ts';
import { checkReadiness } from '../monitoring/readiness.ts';
import { requireAccess } from '../platform/http/auth.ts';
import type { CallerLimits } from '../platform/http/caller-limits.ts';
import type { AppEnv } from '../platform/http/env.ts';
import { problemResponse } from '../platform/http/problem.ts';
import { createJobLog } from '../platform/job-log.ts';
import type { App, AppParts } from './parts.ts';

/** What an operator's tools ask: is it alive, is it ready, how does it do. */
export function operationsRoutes(
  app: App,
  parts: AppParts,
  { billingRuns, limits }: { billingRuns: Pick<BillingRuns, 'lastRun'>; limits: CallerLimits },
): void {
  const { usage, jobs = createJobLog(parts.clock), disk, server } = parts;
  const watched = { usage, jobs, server, lastBillingRun: billingRuns.lastRun };
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', async (c) => {
    const { status, checks } = await checkReadiness(
      { ...watched, db: parts.db, disk, clock: parts.machineClock },
      (check, error) => parts.log.error({ err: error, check }, 'not ready'),
    );
    const mayRead = await isAllowed(c, parts, limits);
    // Probes have no token; what they see says which part, and nothing of it.
    const shown = Object.entries(checks).map(([name, result]) => [name, mayRead ? result : result.status]);
    const failed = Object.entries(checks).flatMap(([name, result]) => (result.status === 'failed' ? [name] : []));
    const body = { status, ...(failed.length > 0 && { failed }), checks: Object.fromEntries(shown) };
    return status === 'not ready' ? problemResponse(503, body) : c.json(body);
  });
  const { registry } = parts.metrics ?? createMetrics();
  const readGauges = createGauges(registry, server === undefined ? 'files' : 'server');
  app.get(
    '/metrics',
    async (c, next) => {
      if (isMetricsToken(c, parts.metricsAccess)) return next();
      return requireAccess('read', parts.tokens.verify, { limits })(c, next);
    },
    async (c) => {
      await readGauges({ ...watched, dataDir: disk?.dataDir });
      const merged = Registry.merge([registry, processMetrics()]);
      return c.body(await merged.metrics(), 200, { 'Content-Type': merged.contentType });
    },
  );
}

async function isAllowed(c: Context<AppEnv>, { tokens }: AppParts, limits: CallerLimits): Promise<boolean> {
  if (c.req.header('authorization') === undefined) return false;
  return requireAccess('read', tokens.verify, { limits })(c, async () => {}).then(
    () => true,
    () => false,
  );
}

/** Compared in constant time, so that an answer's time tells nothing. */
function isMetricsToken(c: Context<AppEnv>, access: AppParts['metricsAccess']): boolean {
  if (access === undefined) return false;
  if (access.isPublic) return true;
  const given = /^Bearer +([^ ]+) *$/i.exec(c.req.header('authorization') ?? '')?.[1];
  if (access.token === undefined || given === undefined) return false;
  return timingSafeEqual(sha256(given), sha256(access.token));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
