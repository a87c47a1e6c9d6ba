import { OpenAPIHono } from '@hono/zod-openapi';
import type { BillingRuns } from './billing/billing-runs/index.ts';
import { createAccess } from './composition/access.ts';
import { createBilling, sandboxRoutes } from './composition/billing.ts';
import { createCatalog } from './composition/catalog.ts';
import { createCustomersArea } from './composition/customers.ts';
import { fillHooks } from './composition/fill-hooks.ts';
import { createHooks } from './composition/hooks.ts';
import { createMetering } from './composition/metering.ts';
import { createNotifications } from './composition/notifications.ts';
import { operationsRoutes } from './composition/operations-routes.ts';
import type { App, AppParts, Backend, Parts } from './composition/parts.ts';
import { createPayments } from './composition/payments.ts';
import { searchOperation } from './composition/search.ts';
import { documentationRoutes, pathWithoutAlias } from './composition/service-routes.ts';
import { machineClockRoutes, unwatched } from './monitoring/machine-clock/index.ts';
import { type BodyBudget, createBodyBudget } from './platform/http/body-budget.ts';
import { readableBodies } from './platform/http/body-reader.ts';
import type { CallerLimits } from './platform/http/caller-limits.ts';
import { serveConsole } from './platform/http/console-files.ts';
import type { AppEnv } from './platform/http/env.ts';
import { measureRequests } from './platform/http/measure-requests.ts';
import { problemHandler } from './platform/http/problem.ts';
import { logRequests } from './platform/http/request-log.ts';
import type { Router } from './platform/http/router.ts';
import { securityHeaders } from './platform/http/security-headers.ts';
import { answerUnknown } from './platform/http/unknown-path.ts';
import { createScope } from './platform/scope.ts';
import { unservedOperationRoutes } from './unserved-operations/index.ts';

export type { App, AppParts, Backend } from './composition/parts.ts';
export { startRollups } from './composition/rollups.ts';

export function createApp(parts: AppParts): App {
  return createBackend(parts).app;
}

/** Puts the modules together: the only place that knows all of them. */
export function createBackend(given: AppParts): Backend {
  const parts: Parts = { ...given, scope: createScope(given) };
  const { scope, log } = parts;
  const hooks = createHooks();
  const metering = createMetering(parts);
  const catalog = createCatalog(parts, hooks);
  const area = createCustomersArea(parts, hooks, catalog);
  const billing = createBilling(parts, hooks, catalog, area);
  const payments = createPayments(parts, area, billing);
  const notifications = createNotifications(parts, { billing, ...area, catalog });
  fillHooks(hooks, { ...area, billing, payments, notifications });
  const { customers, entitlements, subscriptions } = area;
  // Once more for what was stored when the process ended.
  entitlements
    .followAllCustomers()
    .catch((error: unknown) => log.error({ err: error }, 'entitlements are not up to date'));

  const events = metering.over({ customers, subscriptions, onEvents: notifications.onEvents });
  const access = createAccess(parts);
  const v3 = access.router();
  events.routes(v3);
  catalog.features.routes(v3);
  customers.routes(v3);
  entitlements.routes(v3);
  billing.routes(v3);
  payments.routes(v3);
  subscriptions.routes(v3);
  area.usageSourceRoutes(v3);
  sandboxRoutes(v3, parts, area, billing.billingRuns);
  catalog.routes(v3);
  billing.costEstimateRoutes(v3);
  metering.nodeRoutes(v3);
  notifications.routes(v3);
  searchOperation(v3, parts, customers);
  access.routes(v3);
  machineClockRoutes(v3, parts.machineClock ?? unwatched(scope.clock));
  unservedOperationRoutes(v3);
  const v1 = access.tokenRouter();
  events.legacyRoutes(v1);
  payments.legacyRoutes(v1);
  const bodies = createBodyBudget(parts);
  const app = serve(parts, { v3, v1, limits: access.limits, bodies }, billing.billingRuns);
  const usageNeededFromMs = () => earliest(billing.billingRuns.usageNeededFromMs(), entitlements.usageNeededFromMs());
  const { invoices, billingRuns } = billing;
  const { outgoing } = payments;
  return { app, invoices, billingRuns, notifications, outgoing, auditLog: access.auditLog, usageNeededFromMs, bodies };
}

async function earliest(...asked: Promise<number | undefined>[]): Promise<number | undefined> {
  const known = (await Promise.all(asked)).filter((ms) => ms !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** What stands around the modules' routes: logging, limits, errors, health, documentation, console. */
function serve(
  parts: AppParts,
  { v3, v1, limits, bodies }: { v3: Router; v1: Router; limits: CallerLimits; bodies: BodyBudget },
  billingRuns: BillingRuns,
): App {
  const app = new OpenAPIHono<AppEnv>({ getPath: pathWithoutAlias });
  app.use(logRequests(parts.log, parts.clock));
  if (parts.metrics) app.use(measureRequests(parts.metrics.onRequest));

  app.use(securityHeaders());
  app.use(readableBodies(parts.maxBodyBytes, bodies));
  app.onError(problemHandler(parts.log));
  app.notFound(answerUnknown(app));
  app.route('/v3/openmeter', v3.app);
  app.route('/api/v1', v1.app);
  operationsRoutes(app, parts, { billingRuns, limits });
  documentationRoutes(app, parts.version);
  if (parts.consoleDir !== undefined) serveConsole(app, parts.consoleDir);
  return app;
}
