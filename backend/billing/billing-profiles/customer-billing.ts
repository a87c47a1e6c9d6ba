import { customerLock } from '../../platform/db/locks.ts';
import { notFound, RequestProblem } from '../../platform/errors.ts';
import type { Scope } from '../../platform/scope.ts';
import type { CustomerDocumentSettings, InvoiceDocumentSettings } from './document-schema.ts';
import { profileProblem } from './errors.ts';
import { profileRepository, type StoredProfile } from './repository.ts';
import type { AppData, CustomerBilling } from './schema.ts';

export type StripeData = NonNullable<AppData['stripe']>;

/**
 * Whether a customer of Stripe is there, with its payment method. Outside of any transaction.
 * @param appId of the profile that bills the customer @throws DomainProblem 400
 */
export type CheckStripeData = (appId: string, data: StripeData) => Promise<unknown>;

/** What is needed of a customer here. */
export interface BilledCustomer {
  id: string;
  deleted_at?: string | undefined;
}

export interface CustomerBillingService {
  /** Empty when the default profile bills the customer. @throws RequestProblem 404 */
  get(customerId: string): Promise<CustomerBilling>;
  /** Replaces everything. @throws RequestProblem 404, 410 @throws DomainProblem 400 */
  replace(customerId: string, billing: CustomerBilling): Promise<CustomerBilling>;
  /** Replaces the data for apps. @throws RequestProblem 404, 410 @throws DomainProblem 400 */
  replaceAppData(customerId: string, data: AppData): Promise<AppData>;
  /** What is stored for the customer; undefined: nothing. @param scope of the caller's transaction, inside one */
  stored(customerId: string, scope: Scope): Promise<CustomerBilling | undefined>;
  /** Links the customer to one of Stripe, with its payment method. Inside the caller's transaction. @throws DomainProblem 400 */
  linkStripe(customerId: string, data: Omit<StripeData, 'labels'>, scope: Scope): Promise<void>;
  /** What documents say of the customer. @throws RequestProblem 404 */
  documentSettings(customerId: string): Promise<CustomerDocumentSettings>;
  /** @throws RequestProblem 404, 410 */
  setDocumentSettings(customerId: string, settings: CustomerDocumentSettings): Promise<CustomerDocumentSettings>;
  /** What documents of an invoice say, as of now. */
  documentOf(invoice: { customerId: string; profileId: string }, scope: Scope): Promise<InvoiceDocumentSettings>;
  /** The profile that bills the customer. @param scope of the caller's transaction, inside one */
  profileOf(customerId: string, scope: Scope): Promise<StoredProfile>;
}

/** @param deps.findCustomer deleted customers too; undefined when there never was one */
export function createCustomerBilling(deps: {
  scope: Scope;
  findCustomer: (id: string, scope: Scope) => Promise<BilledCustomer | undefined>;
  checkStripeData: CheckStripeData;
}): CustomerBillingService {
  const { scope, findCustomer } = deps;
  /** Outside of any transaction: it asks another system. */
  const check = async (customerId: string, data: AppData | undefined, profileId: string | undefined) => {
    if (data?.stripe === undefined) return;
    await livingCustomer(findCustomer, customerId, scope);
    const profiles = profileRepository(scope);
    const own = profileId ?? (await profiles.customerBilling(customerId))?.billing_profile?.id;
    const { profile } = (own === undefined ? undefined : await profiles.byId(own)) ?? (await profiles.theDefault());
    await deps.checkStripeData(profile.apps.invoicing.id, data.stripe);
  };
  const save = async (scope: Scope, customerId: string, billing: CustomerBilling) => {
    await livingCustomer(findCustomer, customerId, scope);
    const stripeId = billing.app_data?.stripe?.customer_id;
    const linked = stripeId === undefined ? undefined : await profileRepository(scope).byStripeCustomer(stripeId);
    if (linked !== undefined && linked !== customerId) throw profileProblem('stripe_customer_in_use', linked);
    await profileRepository(scope).saveCustomerBilling(customerId, billing, scope.clock.nowMs());
  };
  return {
    get: async (customerId) => {
      if ((await findCustomer(customerId, scope)) === undefined) throw notFound('customer', customerId);
      return (await profileRepository(scope).customerBilling(customerId)) ?? {};
    },
    replace: async (customerId, billing) => {
      const profileId = billing.billing_profile?.id;
      await check(customerId, billing.app_data, profileId);
      return scope.transaction(
        async (scope) => {
          if (profileId !== undefined) {
            const stored = await profileRepository(scope).byId(profileId);
            if (stored === undefined || stored.profile.deleted_at !== undefined) {
              throw profileProblem('profile_not_found', profileId);
            }
          }
          await save(scope, customerId, billing);
          return billing;
        },
        [customerLock(customerId)],
      );
    },
    replaceAppData: async (customerId, data) => {
      await check(customerId, data, undefined);
      return scope.transaction(
        async (scope) => {
          const billing = await profileRepository(scope).customerBilling(customerId);
          await save(scope, customerId, { ...billing, app_data: data });
          return data;
        },
        [customerLock(customerId)],
      );
    },
    stored: (customerId, own) => profileRepository(own).customerBilling(customerId),
    linkStripe: async (customerId, data, own) => {
      const billing = await profileRepository(own).customerBilling(customerId);
      const app_data = { ...billing?.app_data, stripe: { ...billing?.app_data?.stripe, ...data } };
      await save(own, customerId, { ...billing, app_data });
    },
    documentSettings: async (customerId) => {
      if ((await findCustomer(customerId, scope)) === undefined) throw notFound('customer', customerId);
      return profileRepository(scope).customerDocumentSettings(customerId);
    },
    setDocumentSettings: (customerId, settings) =>
      scope.transaction(
        async (scope) => {
          await livingCustomer(findCustomer, customerId, scope);
          await profileRepository(scope).saveCustomerDocumentSettings(customerId, settings, scope.clock.nowMs());
          return settings;
        },
        [customerLock(customerId)],
      ),
    documentOf: async ({ customerId, profileId }, own) => ({
      profile: (await profileRepository(own).byId(profileId))?.document ?? {},
      customer: await profileRepository(own).customerDocumentSettings(customerId),
    }),
    profileOf: async (customerId, own) => {
      const profiles = profileRepository(own);
      const given = (await profiles.customerBilling(customerId))?.billing_profile?.id;
      return (given === undefined ? undefined : await profiles.byId(given)) ?? profiles.theDefault();
    },
  };
}

async function livingCustomer(
  find: (id: string, scope: Scope) => Promise<BilledCustomer | undefined>,
  id: string,
  scope: Scope,
): Promise<void> {
  const customer = await find(id, scope);
  if (customer === undefined) throw notFound('customer', id);
  if (customer.deleted_at !== undefined) throw new RequestProblem('gone', `customer ${id} was deleted`);
}
