import { adjustmentRoutes } from '../billing/adjustments/index.ts';
import { type AppsService, appRoutes, createAppsService } from '../billing/apps/index.ts';
import {
  createCustomerBilling,
  createProfilesService,
  customerBillingRoutes,
  type ProfilesService,
  profileRoutes,
} from '../billing/billing-profiles/index.ts';
import { type BillingRuns, createBillingRuns } from '../billing/billing-runs/index.ts';
import { customerChargeRoutes } from '../billing/customer-charges/index.ts';
import { externalInvoicingRoutes, legacyExternalInvoicingRoutes } from '../billing/external-invoicing/index.ts';
import { invoiceDocumentRoutes } from '../billing/invoice-documents/index.ts';
import { invoicePreviewRoutes } from '../billing/invoice-previews/index.ts';
import { invoiceTraceRoutes } from '../billing/invoice-trace/index.ts';
import { createInvoices, invoicesInUse, whyNoTax } from '../billing/invoices/index.ts';
import { revenueRoutes } from '../billing/revenue/index.ts';
import type { Currencies } from '../catalog/currencies/index.ts';
import type { Features } from '../catalog/features/index.ts';
import type { TaxCodes } from '../catalog/tax-codes/index.ts';
import { createCustomers } from '../customers/customers/index.ts';
import type { SubscriptionBlockers, Subscriptions } from '../customers/subscriptions/index.ts';
import { clockOf, createTestClocksService, nowByCustomer, testClockRoutes } from '../customers/test-clocks/index.ts';
import { findMeters } from '../metering/meters/index.ts';
import { WAITING } from '../monitoring/machine-clock/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { ControlDb } from '../platform/db/control-db.ts';
import type { Router } from '../platform/http/router.ts';
import type { Logger } from '../platform/log.ts';
import type { AppParts } from './parts.ts';

interface BillingNeeds {
  features: Features;
  subscriptions: Subscriptions;
  taxCodes: TaxCodes;
  currencies: Currencies;
}

/** Apps, billing profiles, what customers have of them, and invoices. */
export function createBilling(
  { db, clock, newId, usage, log, machineClock, documentFontsDir, documentLimits }: AppParts,
  { features, subscriptions, taxCodes, currencies }: BillingNeeds,
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
  const deps = {
    db,
    clock,
    newId,
    log,
    documentFontsDir,
    documentLimits,
    heldBack: () => (machineClock?.state().isHeld ? `The machine's clock has jumped: ${WAITING}.` : undefined),
    clockOf: (customerId: string, real: Clock, trx: ControlDb) => clockOf(trx, real, customerId),
    onTestClocks: async (trx: ControlDb) => new Set((await nowByCustomer(trx, clock)).ofTestClocks.keys()),
    findCustomer,
    profileOf: customerBilling.profileOf,
    findApp: apps.find,
    findCurrency: currencies.find,
    invoicingTaxCode: taxCodes.invoicing,
    findFeatures: features.findByIds,
    findFeaturesByKey: features.findByKeys,
    usage: features.usage,
    tracing: usage,
    findMeters: (ids: readonly string[], trx: ControlDb) => findMeters(trx, ids),
    subscriptionChanges: subscriptions.listChanges,
    subscriptionChangesFollowed: subscriptions.changesFollowed,
    findSubscriptions: subscriptions.listViews,
    listSubscribers: subscriptions.listCustomerIds,
  };
  const invoices = createInvoices(deps);
  const billingRuns = createBillingRuns({ ...deps, invoices });
  return {
    invoices,
    billingRuns,
    setupProblem: async (customerId: string, trx: ControlDb): Promise<string | undefined> => {
      const { profile } = await customerBilling.profileOf(customerId, trx);
      if (!profile.workflow.tax.enforced) return undefined;
      const app = await apps.find(profile.apps.invoicing.id, trx);
      return app && whyNoTax(app.type, await findCustomer(customerId, trx));
    },
    routes: (router: Router) => {
      appRoutes(router, apps);
      profileRoutes(router, profiles);
      customerBillingRoutes(router, customerBilling);
      invoices.routes(router);
      customerChargeRoutes(router, deps);
      billingRuns.routes(router);
      revenueRoutes(router, deps);
      invoiceDocumentRoutes(router, deps);
      invoiceTraceRoutes(router, deps);
      adjustmentRoutes(router, deps);
      externalInvoicingRoutes(router, deps);
      invoicePreviewRoutes(router, deps);
      billingRuns.invoiceNowRoutes(router);
    },
    legacyRoutes: (router: Router) => legacyExternalInvoicingRoutes(router, deps),
  };
}

/** Fees in advance are invoiced at once. What fails here is not lost: the hourly run works out all charges anew. */
export async function invoicesFollowSubscriptions(
  billingRuns: BillingRuns,
  customerId: string,
  log: Logger,
): Promise<void> {
  await billingRuns.billCustomer(customerId).catch((error: unknown) => {
    log.error({ err: error, customerId }, 'the invoices do not follow the subscription yet');
  });
}

/** Customers on a clock of their own. */
export function sandboxRoutes(
  router: Router,
  { db, clock, newId }: AppParts,
  blockers: SubscriptionBlockers,
  billingRuns: BillingRuns,
): void {
  const hooks = {
    findCustomer: (id: string, trx: ControlDb) => createCustomers({ db: trx, clock, newId }).get(id),
    blocksTimeTravel: async (id: string, trx: ControlDb) =>
      (await blockers.timeTravel(id, trx)) ?? invoicesInUse.blockTimeTravel(id, trx),
    onMove: billingRuns.catchUp,
  };
  testClockRoutes(router, createTestClocksService({ db, clock, hooks }));
}
