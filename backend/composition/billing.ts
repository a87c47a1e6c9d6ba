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
import { createTestClocksService, nowByCustomer, testClockRoutes } from '../customers/test-clocks/index.ts';
import { findMeters } from '../metering/meters/index.ts';
import { WAITING } from '../monitoring/machine-clock/index.ts';
import type { Router } from '../platform/http/router.ts';
import type { Logger } from '../platform/log.ts';
import type { Scope } from '../platform/scope.ts';
import type { Parts } from './parts.ts';

interface BillingNeeds {
  features: Features;
  subscriptions: Subscriptions;
  taxCodes: TaxCodes;
  currencies: Currencies;
}

/** Apps, billing profiles, what customers have of them, and invoices. */
export function createBilling(
  { scope, usage, machineClock, documentFontsDir, documentLimits }: Parts,
  { features, subscriptions, taxCodes, currencies }: BillingNeeds,
) {
  const apps: AppsService = createAppsService({
    scope,
    hooks: {
      createProfile: (app, scope) => profiles.createForApp(app, scope),
      usersOf: async (appId, scope) => [
        ...(await profiles.usersOfApp(appId, scope)),
        ...(await invoicesInUse.open(scope, { appId })).map(({ number }) => `invoice ${number}`),
      ],
    },
  });
  const profiles: ProfilesService = createProfilesService({
    scope,
    hooks: {
      findApp: apps.find,
      customersWithOpenInvoices: invoicesInUse.customersWithOpen,
      countOpenInvoices: async (profileId, scope) => (await invoicesInUse.open(scope, { profileId })).length,
    },
  });
  const findCustomer = (id: string, scope: Scope) => createCustomers({ scope }).get(id);
  const customerBilling = createCustomerBilling({ scope, findCustomer });
  const deps = {
    documentFontsDir,
    documentLimits,
    heldBack: () => (machineClock?.state().isHeld ? `The machine's clock has jumped: ${WAITING}.` : undefined),
    onTestClocks: async (scope: Scope) => new Set((await nowByCustomer(scope)).ofTestClocks.keys()),
    findCustomer,
    profileOf: customerBilling.profileOf,
    findApp: apps.find,
    findCurrency: currencies.find,
    invoicingTaxCode: taxCodes.invoicing,
    findFeatures: features.findByIds,
    findFeaturesByKey: features.findByKeys,
    usage: features.usage,
    tracing: usage,
    findMeters: (ids: readonly string[], scope: Scope) => findMeters(scope, ids),
    subscriptionChanges: subscriptions.listChanges,
    subscriptionChangesFollowed: subscriptions.changesFollowed,
    findSubscriptions: subscriptions.listViews,
    listSubscribers: subscriptions.listCustomerIds,
  };
  const invoices = createInvoices(scope, deps);
  const billingRuns = createBillingRuns(scope, { ...deps, invoices });
  return {
    invoices,
    billingRuns,
    setupProblem: async (customerId: string, scope: Scope): Promise<string | undefined> => {
      const { profile } = await customerBilling.profileOf(customerId, scope);
      if (!profile.workflow.tax.enforced) return undefined;
      const app = await apps.find(profile.apps.invoicing.id, scope);
      return app && whyNoTax(app.type, await findCustomer(customerId, scope));
    },
    routes: (router: Router) => {
      appRoutes(router, apps);
      profileRoutes(router, profiles);
      customerBillingRoutes(router, customerBilling);
      invoices.routes(router);
      customerChargeRoutes(router, scope, deps);
      billingRuns.routes(router);
      revenueRoutes(router, scope, deps);
      invoiceDocumentRoutes(router, scope, deps);
      invoiceTraceRoutes(router, scope, deps);
      adjustmentRoutes(router, scope, deps);
      externalInvoicingRoutes(router, scope, deps);
      invoicePreviewRoutes(router, scope, deps);
      billingRuns.invoiceNowRoutes(router);
    },
    legacyRoutes: (router: Router) => legacyExternalInvoicingRoutes(router, scope, deps),
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
  { scope }: Parts,
  blockers: SubscriptionBlockers,
  billingRuns: BillingRuns,
): void {
  const hooks = {
    findCustomer: (id: string, scope: Scope) => createCustomers({ scope }).get(id),
    blocksTimeTravel: async (id: string, scope: Scope) =>
      (await blockers.timeTravel(id, scope)) ?? invoicesInUse.blockTimeTravel(id, scope),
    onMove: billingRuns.catchUp,
  };
  testClockRoutes(router, createTestClocksService({ scope, hooks }));
}
