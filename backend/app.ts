import { OpenAPIHono } from '@hono/zod-openapi';
import { accessTokenRoutes } from './access/access-tokens/index.ts';
import { auditLogRoutes, createAuditLog } from './access/audit-log/index.ts';
import { createSignIn } from './access/sign-in/index.ts';
import { PROFILE_OF_CUSTOMER_SQL } from './billing/billing-profiles/index.ts';
import type { BillingRuns } from './billing/billing-runs/index.ts';
import { createCostEstimates } from './billing/cost-estimates/index.ts';
import { invoicesInUse } from './billing/invoices/index.ts';
import { createFeatures, FEATURES_AS_METER_USERS } from './catalog/features/index.ts';
import { catalogBlocksArchiving } from './catalog/product-catalog/index.ts';
import { createBilling, invoicesFollowSubscriptions, sandboxRoutes } from './composition/billing.ts';
import { createCatalog } from './composition/catalog.ts';
import { createMetering } from './composition/metering.ts';
import { operationsRoutes } from './composition/operations-routes.ts';
import type { App, AppParts, Backend, Parts } from './composition/parts.ts';
import { rollupsFollowMeters } from './composition/rollups.ts';
import { searchOperation } from './composition/search.ts';
import { documentationRoutes, pathWithoutAlias } from './composition/service-routes.ts';
import { createCustomers } from './customers/customers/index.ts';
import { createEntitlements, type Entitlements } from './customers/entitlements/index.ts';
import {
  createSubscriptionBlockers,
  createSubscriptions,
  planKeysOfCustomerSql,
  type Subscriptions,
} from './customers/subscriptions/index.ts';
import { createKongConsumers, createUsageSources, usageSourceRoutes } from './customers/usage-sources/index.ts';
import { gatewayNodeRoutes } from './metering/gateway-nodes/index.ts';
import { createMetersService } from './metering/meters/index.ts';
import { machineClockRoutes, unwatched } from './monitoring/machine-clock/index.ts';
import { type BodyBudget, createBodyBudget } from './platform/http/body-budget.ts';
import { readableBodies } from './platform/http/body-reader.ts';
import { type CallerLimits, createCallerLimits } from './platform/http/caller-limits.ts';
import { serveConsole } from './platform/http/console-files.ts';
import type { AppEnv } from './platform/http/env.ts';
import { measureRequests } from './platform/http/measure-requests.ts';
import { problemHandler } from './platform/http/problem.ts';
import { logRequests } from './platform/http/request-log.ts';
import { createRouter, type Router } from './platform/http/router.ts';
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
  const scope = createScope(given);
  const parts: Parts = { ...given, scope };
  const { usage, log, tokens } = parts;
  const relatedColumns = {
    billing_profile_id: PROFILE_OF_CUSTOMER_SQL,
    plan_key: () => planKeysOfCustomerSql(scope.clock.nowMs()),
  };
  const blockers = createSubscriptionBlockers();
  const customers = createCustomers({
    scope,
    relatedColumns,
    blockers: {
      deletion: async (customerId, scope) =>
        (await blockers.customerDeletion(customerId, scope)) ??
        (await invoicesInUse.blockDeletion(customerId, scope)) ??
        (await entitlements.blocksDeletion(customerId, scope)),
      subjectKeyChange: blockers.subjectKeyChange,
      currencyChange: blockers.currencyChange,
    },
  });
  const meters = createMetersService({
    scope,
    users: FEATURES_AS_METER_USERS,
    onChange: rollupsFollowMeters(parts),
  });
  const features = createFeatures({
    scope,
    usage,
    findSubjects: customers.findByIds,
    users: { blocksArchiving: (feature, scope) => catalogBlocksArchiving(feature, scope, scope.clock.nowMs()) },
  });
  const catalog = createCatalog(parts, features);
  const entitlements: Entitlements = createEntitlements({
    scope,
    features,
    findSubjects: customers.findByIds,
    findBySubjects: customers.findBySubjects,
    findCustomers: customers.getMany,
    subscriptions: () => subscriptions,
    getCustomer: (id, scope) => createCustomers({ scope }).get(id),
  });
  const subscriptions: Subscriptions = createSubscriptions({
    scope,
    plans: catalog.plans,
    addons: catalog.addons,
    lookups: catalog.lookups,
    billingProblem: (customerId, scope) => billing.setupProblem(customerId, scope),
    onChange: async (customerId) => {
      await entitlements.followCustomer(customerId);
      await invoicesFollowSubscriptions(billing.billingRuns, customerId, log);
    },
  });
  const billing = createBilling(parts, { ...catalog, features, subscriptions });
  // Once more for what was stored when the process ended.
  entitlements
    .followAllCustomers()
    .catch((error: unknown) => log.error({ err: error }, 'entitlements are not up to date'));

  const metering = createMetering(parts, { meters, customers, subscriptions });

  const limits = createCallerLimits({ clock: scope.clock, log, requestsAMinute: parts.requestsAMinute });
  const auditLog = createAuditLog(scope);
  const signIn = createSignIn({ scope, tokens, settings: parts.signIn });
  const v3 = createRouter(tokens.verify, { recorder: auditLog.recorder, limits, sessions: signIn.callers });
  metering.routes(v3);
  features.routes(v3);
  customers.routes(v3);
  entitlements.routes(v3);
  billing.routes(v3);
  subscriptions.routes(v3);
  const consumers = parts.kongAdmin && createKongConsumers(parts.kongAdmin);
  usageSourceRoutes(v3, createUsageSources({ scope, usage, customers, consumers }));
  sandboxRoutes(v3, parts, blockers, billing.billingRuns);
  catalog.routes(v3);
  createCostEstimates({ scope, features, customers, currencies: catalog.currencies, plans: catalog.plans }).routes(v3);
  gatewayNodeRoutes(v3, usage);
  searchOperation(v3, parts, customers);
  accessTokenRoutes(v3, tokens);
  signIn.routes(v3, { recorder: auditLog.recorder, limits });
  auditLogRoutes(v3, auditLog);
  machineClockRoutes(v3, parts.machineClock ?? unwatched(scope.clock));
  unservedOperationRoutes(v3);
  const v1 = createRouter(tokens.verify, { recorder: auditLog.recorder, limits });
  metering.legacyRoutes(v1);
  billing.legacyRoutes(v1);
  const bodies = createBodyBudget(parts);
  const app = serve(parts, { v3, v1, limits, bodies }, billing.billingRuns);
  const usageNeededFromMs = () => earliest(billing.billingRuns.usageNeededFromMs(), entitlements.usageNeededFromMs());
  return { app, invoices: billing.invoices, billingRuns: billing.billingRuns, auditLog, usageNeededFromMs, bodies };
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
