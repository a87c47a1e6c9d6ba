import type { AppAccount, AppsService, Connection } from '../../billing/apps/index.ts';
import { type CustomerBillingService, profileProblem, type StripeData } from '../../billing/billing-profiles/index.ts';
import type { TaxCodes } from '../../catalog/tax-codes/index.ts';
import type { Customer } from '../../customers/customers/index.ts';
import { RequestProblem } from '../../platform/errors.ts';
import type { Router } from '../../platform/http/router.ts';
import type { Scope } from '../../platform/scope.ts';
import type { SecretBox } from '../../platform/secrets.ts';
import { AppRefused, AppUnauthorized, type PaymentApp, TryLater } from '../outgoing/index.ts';
import { createStripeAccounts, type StripeAccounts } from './accounts.ts';
import { read, type StripeSettings } from './client.ts';
import { type ConnectDeps, connect, disconnect } from './connect.ts';
import { customerThere } from './customers-there.ts';
import { stripeRepository } from './repository.ts';
import { stripeRoutes } from './routes.ts';
import { createStripeSessions } from './sessions.ts';
import { createStripeApp } from './stripe-app.ts';
import { createStripeWebhook } from './webhook.ts';

export { describeFailure, type StripeSettings, toAppError } from './client.ts';
export { stripeRail } from './rail.ts';

export interface StripeDeps {
  settings: StripeSettings;
  box: SecretBox;
  /** Whether there is a key to seal with. */
  canSeal: boolean;
  /** Where Stripe reaches this server; undefined: it does not. */
  publicUrl: string | undefined;
  apps: AppsService;
  customerBilling: CustomerBillingService;
  findCustomer(id: string, scope: Scope): Promise<Customer>;
  findTaxCodes: TaxCodes['findByIds'];
  onTestClocks(scope: Scope): Promise<ReadonlySet<string>>;
}

/** Stripe as the system in which invoices stand as well, and through which they are paid. */
export interface StripeModule {
  app: PaymentApp;
  routes(router: Router): void;
  /** See `AppHooks`. */
  connect(appId: string, apiKey: string, known: AppAccount | undefined): Promise<Connection>;
  disconnect(appId: string): Promise<void>;
  /** See `CheckStripeData`. */
  checkData(appId: string, data: StripeData): Promise<void>;
}

export function createStripe(scope: Scope, deps: StripeDeps): StripeModule {
  const { apps, customerBilling, findCustomer, settings, canSeal, publicUrl } = deps;
  const accounts = createStripeAccounts(scope, deps.box, settings);
  const connecting: ConnectDeps = { accounts, settings, canSeal, publicUrl, log: scope.log };
  const stripeApp = async (appId: string) => {
    const app = await apps.find(appId, scope);
    return app?.type === 'stripe' ? app : undefined;
  };
  const sessions = createStripeSessions(scope, {
    accounts,
    customerBilling,
    findCustomer,
    isStripe: async (appId) => (await stripeApp(appId)) !== undefined,
  });
  return {
    app: createStripeApp(scope, {
      ...deps,
      accounts,
      isTold: publicUrl !== undefined,
      isLive: async (appId) => (await stripeApp(appId))?.livemode === true,
    }),
    routes: (router) => stripeRoutes(router, sessions, createStripeWebhook(scope, accounts)),
    connect: (appId, apiKey, known) => connect(connecting, appId, apiKey, known),
    disconnect: async (appId) => {
      if ((await stripeApp(appId)) === undefined) return;
      await disconnect(connecting, appId);
      await scope.transaction((scope) => stripeRepository(scope).deleteSecrets(appId));
    },
    checkData: async (appId, data) => {
      const app = (await stripeApp(appId)) ?? (await apps.ofStripe());
      if (app === undefined) throw profileProblem('stripe_app_not_installed');
      await checkData(accounts, app.id, data);
    },
  };
}

async function checkData(accounts: StripeAccounts, appId: string, data: StripeData): Promise<void> {
  const { customer_id: customerId, default_payment_method_id: methodId } = data;
  if (customerId === undefined && methodId === undefined) return;
  if (customerId === undefined) throw profileProblem('stripe_customer_invalid', 'a payment method needs its customer');
  try {
    const client = await accounts.clientOf(appId);
    await customerThere(client, customerId);
    if (methodId === undefined) return;
    const method = await read(() => client.paymentMethods.retrieve(methodId)).catch((error: unknown) => {
      if (error instanceof AppRefused) throw profileProblem('stripe_payment_method_invalid', error.message);
      throw error;
    });
    const owner = typeof method.customer === 'string' ? method.customer : method.customer?.id;
    if (owner !== customerId) throw profileProblem('stripe_payment_method_invalid', methodId);
  } catch (error) {
    if (error instanceof AppRefused) throw profileProblem('stripe_customer_invalid', error.message);
    if (error instanceof AppUnauthorized) throw profileProblem('stripe_customer_invalid', error.message);
    if (error instanceof TryLater) throw new RequestProblem('unavailable', error.message);
    throw error;
  }
}
