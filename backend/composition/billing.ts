import { adjustmentRoutes } from '../billing/adjustments/index.ts';
import { appRoutes, createAppsService } from '../billing/apps/index.ts';
import {
  createCustomerBilling,
  createProfilesService,
  customerBillingRoutes,
  documentSettingsRoutes,
  profileRoutes,
} from '../billing/billing-profiles/index.ts';
import { type BillingRuns, createBillingRuns, syncCustomer } from '../billing/billing-runs/index.ts';
import { createCostEstimates } from '../billing/cost-estimates/index.ts';
import { creditAuthorisationRoutes, findCredit } from '../billing/credit-authorisation/index.ts';
import { creditRoutes } from '../billing/credits/index.ts';
import { customerChargeRoutes } from '../billing/customer-charges/index.ts';
import { invoiceDocumentRoutes } from '../billing/invoice-documents/index.ts';
import { invoicePreviewRoutes } from '../billing/invoice-previews/index.ts';
import { invoiceTraceRoutes } from '../billing/invoice-trace/index.ts';
import {
  createInvoices,
  type InvoiceChange,
  type InvoicesDeps,
  invoicesInUse,
  orderCredit,
  runningCharges,
  whyNoTax,
} from '../billing/invoices/index.ts';
import { revenueRoutes } from '../billing/revenue/index.ts';
import { createTaxService, taxRoutes } from '../billing/tax/index.ts';
import type { CreditAsk } from '../customers/entitlements/index.ts';
import {
  type CustomerScope,
  createTestClocksService,
  nowByCustomer,
  testClockRoutes,
} from '../customers/test-clocks/index.ts';
import { findMeters } from '../metering/meters/index.ts';
import { WAITING } from '../monitoring/machine-clock/index.ts';
import type { Router } from '../platform/http/router.ts';
import { ALONE } from '../platform/leadership.ts';
import type { Scope } from '../platform/scope.ts';
import type { Catalog } from './catalog.ts';
import type { CustomersArea } from './customers.ts';
import type { Hooks } from './hooks.ts';
import type { Parts } from './parts.ts';
import { RAILS } from './rails.ts';

/** Apps, billing profiles, what customers have of them, and invoices. */
export function createBilling(parts: Parts, hooks: Hooks, catalog: Catalog, area: CustomersArea) {
  const { scope } = parts;
  const { features, taxCodes, currencies, plans } = catalog;
  const { customers, findCustomer } = area;
  const apps = createAppsService({ scope, hooks: hooks.apps });
  const profiles = createProfilesService({
    scope,
    hooks: {
      findApp: apps.find,
      customersWithOpenInvoices: invoicesInUse.customersWithOpen,
      countOpenInvoices: async (profileId, scope) => (await invoicesInUse.open(scope, { profileId })).length,
    },
  });
  const customerBilling = createCustomerBilling({
    scope,
    findCustomer,
    checkStripeData: hooks.customerBilling.checkStripeData,
  });
  const taxes = createTaxService({ scope, findCustomer, hasTaxCode: taxCodes.isLiving });
  const deps = depsOf(parts, hooks, catalog, area, { apps, profiles, customerBilling, taxes });
  const invoices = createInvoices(scope, deps);
  const billingRuns = createBillingRuns(scope, { ...deps, invoices });
  const authorisation = {
    ...deps,
    getCustomer: findCustomer,
    findSubjects: customers.findByIds,
    followCharges: async (customerId: string) => void (await syncCustomer(deps, scope, customerId)),
  };
  return {
    invoices,
    findCredit: (asks: readonly CreditAsk[], signal: AbortSignal | undefined) =>
      findCredit(authorisation, scope, asks, signal),
    billingRuns,
    profiles,
    /** Fees in advance are invoiced at once. What fails here is not lost: the hourly run works out all charges anew. */
    followSubscriptions: (customerId: string) =>
      billLater(scope, billingRuns, customerId, 'the invoices do not follow the subscription yet'),
    setupProblem: (customerId: string, scope: Scope) => setupProblem(deps, customerId, scope),
    routes: (router: Router) => {
      appRoutes(router, apps);
      profileRoutes(router, profiles);
      customerBillingRoutes(router, customerBilling);
      documentSettingsRoutes(router, profiles, customerBilling);
      taxRoutes(router, taxes);
      invoices.routes(router);
      creditRoutes(router, scope, { ...deps, ...creditHooks(scope, deps, billingRuns) });
      creditAuthorisationRoutes(router, scope, authorisation);
      customerChargeRoutes(router, scope, deps);
      billingRuns.routes(router);
      revenueRoutes(router, scope, deps);
      invoiceDocumentRoutes(router, scope, deps);
      invoiceTraceRoutes(router, scope, deps);
      adjustmentRoutes(router, scope, deps);
      invoicePreviewRoutes(router, scope, deps);
      billingRuns.invoiceNowRoutes(router);
    },
    costEstimateRoutes: (router: Router) =>
      createCostEstimates({ scope, features, customers, currencies, plans }).routes(router),
    /** What payments build on. */
    deps,
    apps,
    customerBilling,
    taxCodes,
  };
}

/** What billing is told by the areas below, and by its own head. */
function depsOf(
  { documentFontsDir, documentLimits, leadership = ALONE, machineClock, usage }: Parts,
  hooks: Hooks,
  { currencies, features, taxCodes }: Catalog,
  { findCustomer, subscriptions }: CustomersArea,
  own: {
    apps: ReturnType<typeof createAppsService>;
    profiles: ReturnType<typeof createProfilesService>;
    customerBilling: ReturnType<typeof createCustomerBilling>;
    taxes: ReturnType<typeof createTaxService>;
  },
) {
  const { apps, profiles, customerBilling, taxes } = own;
  return {
    leadership,
    documentFontsDir,
    documentLimits,
    heldBack: () => (machineClock?.state().isHeld ? `The machine's clock has jumped: ${WAITING}.` : undefined),
    onTestClocks: async (scope: Scope) => new Set((await nowByCustomer(scope)).ofTestClocks.keys()),
    findCustomer,
    profileOf: customerBilling.profileOf,
    findApp: apps.find,
    rails: RAILS,
    onInvoice: async (change: InvoiceChange, scope: Scope) => void (await hooks.invoices.onInvoice(change, scope)),
    findCurrency: currencies.find,
    taxRules: taxes.rulesFor,
    documentOf: customerBilling.documentOf,
    storedProfile: profiles.stored,
    documentSettings: profiles.documentSettings,
    invoicingTaxCode: taxCodes.invoicing,
    findTaxCodes: taxCodes.findByIds,
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
}

/** Why a customer's invoices could not be issued as its profile wants them. */
async function setupProblem(
  {
    profileOf,
    findApp,
    findCustomer,
    taxRules,
  }: Pick<InvoicesDeps, 'profileOf' | 'findApp' | 'findCustomer' | 'taxRules'>,
  customerId: string,
  scope: Scope,
): Promise<string | undefined> {
  const { profile } = await profileOf(customerId, scope);
  if (!profile.workflow.tax.enforced) return undefined;
  const app = await findApp(profile.apps.invoicing.id, scope);
  const customer = app && (await findCustomer(customerId, scope));
  if (app === undefined || customer === undefined) return undefined;
  const rules = await taxRules(customerId, scope);
  return whyNoTax(RAILS[app.type], rules, { supplier: profile.supplier, customer });
}

/** What credits need of what stands above them. */
function creditHooks(scope: Scope, deps: Parameters<typeof runningCharges>[0], billingRuns: BillingRuns) {
  return {
    orderCredit,
    runningCharges: (own: CustomerScope) => runningCharges(deps, own),
    billNow: (customerId: string) =>
      billLater(scope, billingRuns, customerId, 'credit that was bought is not invoiced yet'),
  };
}

/** What fails here is not lost: the hourly run works out all charges anew. @param complaint what the log says then */
async function billLater(scope: Scope, runs: BillingRuns, customerId: string, complaint: string): Promise<void> {
  await runs.billCustomer(customerId).catch((error: unknown) => {
    scope.log.error({ err: error, customerId }, complaint);
  });
}

export type Billing = ReturnType<typeof createBilling>;

/** Customers on a clock of their own. */
export function sandboxRoutes(
  router: Router,
  { scope }: Parts,
  { findCustomer, subscriptionBlockers }: CustomersArea,
  billingRuns: BillingRuns,
): void {
  const hooks = {
    findCustomer,
    blocksTimeTravel: async (id: string, scope: Scope) =>
      (await subscriptionBlockers.timeTravel(id, scope)) ?? invoicesInUse.blockTimeTravel(id, scope),
    onMove: billingRuns.catchUp,
  };
  testClockRoutes(router, createTestClocksService({ scope, hooks }));
}
