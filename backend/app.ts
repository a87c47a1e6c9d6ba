import { OpenAPIHono } from '@hono/zod-openapi';
import { type AccessTokens, accessTokenRoutes } from './modules/access-tokens/index.ts';
import { createAddons } from './modules/addons/index.ts';
import { type AppsService, appRoutes, createAppsService } from './modules/apps/index.ts';
import {
  createCustomerBilling,
  createProfilesService,
  customerBillingRoutes,
  PROFILE_OF_CUSTOMER_SQL,
  type ProfilesService,
  profileRoutes,
} from './modules/billing-profiles/index.ts';
import { createCostEstimates } from './modules/cost-estimates/index.ts';
import { createCurrencies } from './modules/currencies/index.ts';
import { createCustomers } from './modules/customers/index.ts';
import { createEntitlements, type Entitlements } from './modules/entitlements/index.ts';
import {
  type CountingExplainers,
  correctionRoutes,
  createCorrectionsService,
  createEventsService,
  createExplanationsService,
  type EventAnnotations,
  eventRoutes,
  explanationRoutes,
  legacyEventRoutes,
  subjectsSeenRoutes,
} from './modules/events/index.ts';
import { createFeatures, FEATURES_AS_METER_USERS, type Features } from './modules/features/index.ts';
import { gatewayNodeRoutes } from './modules/gateway-nodes/index.ts';
import { createInvoices, type Invoices, invoicesInUse } from './modules/invoices/index.ts';
import {
  backFillOf,
  createMetersService,
  explainByMeters,
  findMeters,
  livingMeterSpecs,
  type MeterOperations,
  type MetersService,
  meterKeysOfTypes,
  meterProblems,
  meterRoutes,
  pickerRoutes,
  queryMeter,
} from './modules/meters/index.ts';
import { createPlans, plansBlockAddonDeletion } from './modules/plans/index.ts';
import { catalogBlocksArchiving, catalogLookups } from './modules/product-catalog/index.ts';
import {
  createSubscriptionBlockers,
  createSubscriptions,
  planKeysOfCustomerSql,
  type SubscriptionBlockers,
  type Subscriptions,
} from './modules/subscriptions/index.ts';
import { createTaxCodes } from './modules/tax-codes/index.ts';
import { clockOf, createTestClocksService, testClockRoutes } from './modules/test-clocks/index.ts';
import {
  createKongConsumers,
  createUsageSources,
  type KongAdminSettings,
  usageSourceRoutes,
} from './modules/usage-sources/index.ts';
import type { Clock } from './platform/clock.ts';
import type { ControlDb } from './platform/db/control-db.ts';
import { limitBody } from './platform/http/body-limit.ts';
import { serveConsole } from './platform/http/console-files.ts';
import type { AppEnv } from './platform/http/env.ts';
import { problemHandler, problemResponse, unknownPath } from './platform/http/problem.ts';
import { referencePage } from './platform/http/reference-page.ts';
import { logRequests } from './platform/http/request-log.ts';
import { createRouter, type Router } from './platform/http/router.ts';
import type { NewId } from './platform/ids.ts';
import type { Logger } from './platform/log.ts';
import type { UsageStore } from './usage-store/index.ts';

/** What the application is made of. */
export interface AppParts {
  usage: UsageStore;
  db: ControlDb;
  clock: Clock;
  newId: NewId;
  log: Logger;
  tokens: AccessTokens;
  /** Where the gateway's consumers are read from; undefined: nowhere. */
  kongAdmin?: KongAdminSettings | undefined;
  maxBodyBytes: number;
  version: string;
  /** Folder of the built console, served at "/"; none: only the API. */
  consoleDir?: string | undefined;
}

export type App = OpenAPIHono<AppEnv>;

/** The application, and what works besides answering requests. */
export interface Backend {
  app: App;
  invoices: Invoices;
}

export function createApp(parts: AppParts): App {
  return createBackend(parts).app;
}

/** Puts the modules together: the only place that knows all of them. */
export function createBackend(parts: AppParts): Backend {
  const { usage, db, clock, newId, log, tokens } = parts;
  const relatedColumns = {
    billing_profile_id: PROFILE_OF_CUSTOMER_SQL,
    plan_key: () => planKeysOfCustomerSql(clock.nowMs()),
  };
  const blockers = createSubscriptionBlockers({ clock });
  const customers = createCustomers({
    db,
    clock,
    newId,
    relatedColumns,
    blockers: {
      deletion: async (customerId, trx) =>
        (await blockers.customerDeletion(customerId, trx)) ??
        (await invoicesInUse.blockDeletion(customerId, trx)) ??
        (await entitlements.blocksDeletion(customerId, trx)),
      subjectKeyChange: blockers.subjectKeyChange,
    },
  });
  const meters = createMetersService({
    db,
    clock,
    newId,
    users: FEATURES_AS_METER_USERS,
    onChange: rollupsFollowMeters(parts),
  });
  const features = createFeatures({
    db,
    clock,
    newId,
    usage,
    findSubjects: customers.findByIds,
    users: { blocksArchiving: (feature, trx) => catalogBlocksArchiving(feature, trx, clock.nowMs()) },
  });
  const taxCodes = createTaxCodes({ db, clock, newId });
  const currencies = createCurrencies({ db, clock, newId });
  const lookups = catalogLookups({ features, currencies, taxCodes });
  const addons = createAddons({ db, clock, newId, lookups, blocksDeletion: plansBlockAddonDeletion });
  const plans = createPlans({ db, clock, newId, lookups, findAddons: addons.findByIds });
  const entitlements: Entitlements = createEntitlements({
    db,
    clock,
    newId,
    features,
    findSubjects: customers.findByIds,
    findBySubjects: customers.findBySubjects,
    findCustomers: customers.getMany,
    log,
    subscriptions: () => subscriptions,
    getCustomer: (id, trx) => createCustomers({ db: trx, clock, newId }).get(id),
  });
  const subscriptions: Subscriptions = createSubscriptions({
    db,
    clock,
    newId,
    plans,
    addons,
    lookups,
    onChange: async (customerId) => {
      await entitlements.followCustomer(customerId);
      await invoicesFollowSubscriptions(billing.invoices, customerId, log);
    },
  });
  const billing = createBilling(parts, { features, subscriptions });
  // Once more for what was stored when the process ended.
  entitlements
    .followAllCustomers()
    .catch((error: unknown) => log.error({ err: error }, 'entitlements are not up to date'));

  const annotations: EventAnnotations = {
    annotate: async (events) => {
      const problems = await meterProblems(meters, events);
      const bySubject = await customers.findBySubjects([...new Set(events.map((event) => event.subject))]);
      return events.map((event, index) => {
        const customer = bySubject.get(event.subject);
        const unattributed = customer ? [] : [`no customer found for event subject: ${event.subject}`];
        return {
          ...(customer && { customerId: customer.id }),
          problems: [...(problems[index] ?? []), ...unattributed],
        };
      });
    },
    subjectsOfCustomers: async (ids) => {
      const found = await customers.findByIds(ids);
      return found.size === 0 ? undefined : [...found.values()].flatMap((customer) => customer.subjects);
    },
  };
  const events = createEventsService({ usage, clock, annotations });

  const v3 = createRouter(tokens.verify);
  eventRoutes(v3, events);
  correctionRoutes(v3, createCorrectionsService({ usage, newId, annotations }));
  explanationRoutes(v3, createExplanationsService({ usage, annotations, explainers: countingExplainers(meters) }));
  subjectsSeenRoutes(v3, usage);
  const query: MeterOperations['query'] = (meter, request, signal) =>
    queryMeter(usage, customers.findByIds, meter, request, signal);
  meterRoutes(v3, { service: meters, query, backFill: (meter) => backFillOf(usage, meter) });
  pickerRoutes(v3, { usage, service: meters, query });
  features.routes(v3);
  customers.routes(v3);
  entitlements.routes(v3);
  billing.routes(v3);
  subscriptions.routes(v3);
  const consumers = parts.kongAdmin && createKongConsumers(parts.kongAdmin);
  usageSourceRoutes(v3, createUsageSources({ db, clock, newId, usage, customers, consumers }));
  sandboxRoutes(v3, parts, blockers, billing.invoices);
  taxCodes.routes(v3);
  currencies.routes(v3);
  plans.routes(v3);
  addons.routes(v3);
  createCostEstimates({ features, customers, currencies, plans }).routes(v3);
  gatewayNodeRoutes(v3, usage);
  accessTokenRoutes(v3);
  const v1 = createRouter(tokens.verify);
  legacyEventRoutes(v1, events);

  const app = new OpenAPIHono<AppEnv>({ getPath: pathWithoutAlias });
  app.use(logRequests(log, clock));
  app.use(limitBody(parts.maxBodyBytes));
  app.onError(problemHandler(log));
  app.notFound(unknownPath);
  app.route('/v3/openmeter', v3.app);
  app.route('/api/v1', v1.app);
  healthRoutes(app, parts);
  documentationRoutes(app, parts.version);
  if (parts.consoleDir !== undefined) serveConsole(app, parts.consoleDir);
  return { app, invoices: billing.invoices };
}

/** Fees in advance are invoiced at once. What fails here is not lost: the hourly run works out all charges anew. */
async function invoicesFollowSubscriptions(invoices: Invoices, customerId: string, log: Logger): Promise<void> {
  await invoices.billCustomer(customerId).catch((error: unknown) => {
    log.error({ err: error, customerId }, 'the invoices do not follow the subscription yet');
  });
}

/** What modules know of why an event counts or not. */
function countingExplainers(meters: MetersService): CountingExplainers {
  return {
    meters: (events) => explainByMeters(meters, events),
    metersOfTypes: (types) => meterKeysOfTypes(meters, types),
    // Modules that know more reasons, such as a subscription that began later, add theirs here.
    others: [],
  };
}

/** Customers on a clock of their own. */
function sandboxRoutes(
  router: Router,
  { db, clock, newId }: AppParts,
  blockers: SubscriptionBlockers,
  invoices: Invoices,
): void {
  const hooks = {
    findCustomer: (id: string, trx: ControlDb) => createCustomers({ db: trx, clock, newId }).get(id),
    blocksTimeTravel: blockers.timeTravel,
    onMove: invoices.catchUp,
  };
  testClockRoutes(router, createTestClocksService({ db, clock, hooks }));
}

/** Apps, billing profiles, what customers have of them, and invoices. */
function createBilling(
  { db, clock, newId, usage, log }: AppParts,
  { features, subscriptions }: { features: Features; subscriptions: Subscriptions },
) {
  const apps: AppsService = createAppsService({
    db,
    clock,
    newId,
    hooks: {
      createProfile: (app, trx) => profiles.createForApp(app, trx),
      usersOf: async (appId, trx) => [
        ...(await profiles.usersOfApp(appId, trx)),
        ...(await invoicesInUse.open(trx, { appId })).map(({ number }) => `invoice ${number}`),
      ],
    },
  });
  const profiles: ProfilesService = createProfilesService({
    db,
    clock,
    newId,
    hooks: {
      findApp: apps.find,
      customersWithOpenInvoices: invoicesInUse.customersWithOpen,
      countOpenInvoices: async (profileId, trx) => (await invoicesInUse.open(trx, { profileId })).length,
    },
  });
  const findCustomer = (id: string, trx: ControlDb) => createCustomers({ db: trx, clock, newId }).get(id);
  const customerBilling = createCustomerBilling({ db, clock, findCustomer });
  const invoices = createInvoices({
    log,
    db,
    clock,
    newId,
    clockOf: (customerId, real, trx) => clockOf(trx, real, customerId),
    findCustomer,
    profileOf: customerBilling.profileOf,
    findApp: apps.find,
    findFeatures: features.findByIds,
    findFeaturesByKey: features.findByKeys,
    usage: features.usage,
    tracing: usage,
    findMeters: (ids, trx) => findMeters(trx, ids),
    subscriptionsOf: (customerId, period, trx) => subscriptions.listActiveViews([customerId], period, trx),
    listSubscribers: subscriptions.listCustomerIds,
  });
  return {
    invoices,
    routes: (router: Router) => {
      appRoutes(router, apps);
      profileRoutes(router, profiles);
      customerBillingRoutes(router, customerBilling);
      invoices.routes(router);
    },
  };
}

/** Has the usage store keep roll-ups for the meters that there are; to be called once before requests come. */
export async function startRollups({ usage, db }: Pick<AppParts, 'usage' | 'db'>): Promise<void> {
  await usage.syncMeters(await livingMeterSpecs(db));
}

/** One after the other, each reading what is stored by then: of two changes at a time the later one must not lose. */
function rollupsFollowMeters(parts: AppParts): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    last = last
      .then(() => startRollups(parts))
      // The meter is changed and its queries are right without roll-ups, only slower.
      .catch((error: unknown) => parts.log.error({ err: error }, 'the roll-ups do not follow the meters'));
    return last;
  };
}

/** OpenMeter's own clients use /api/v3 where Konnect's use /v3: both lead to the same routes. */
function pathWithoutAlias(request: Request): string {
  const { pathname } = new URL(request.url);
  return pathname.startsWith('/api/v3/') ? pathname.slice('/api'.length) : pathname;
}

function healthRoutes(app: App, { usage, db, log }: AppParts): void {
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

function documentationRoutes(app: App, version: string): void {
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
