import { customerLock } from '../../platform/db/locks.ts';
import { notFound, RequestProblem } from '../../platform/errors.ts';
import type { Scope } from '../../platform/scope.ts';
import { profileProblem } from './errors.ts';
import { profileRepository, type StoredProfile } from './repository.ts';
import type { AppData, CustomerBilling } from './schema.ts';

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
  /** The profile that bills the customer. @param scope of the caller's transaction, inside one */
  profileOf(customerId: string, scope: Scope): Promise<StoredProfile>;
}

/** @param deps.findCustomer deleted customers too; undefined when there never was one */
export function createCustomerBilling(deps: {
  scope: Scope;
  findCustomer: (id: string, scope: Scope) => Promise<BilledCustomer | undefined>;
}): CustomerBillingService {
  const { scope, findCustomer } = deps;
  const save = async (scope: Scope, customerId: string, billing: CustomerBilling) => {
    await livingCustomer(findCustomer, customerId, scope);
    if (billing.app_data?.stripe !== undefined) throw profileProblem('stripe_app_not_available');
    await profileRepository(scope).saveCustomerBilling(customerId, billing, scope.clock.nowMs());
  };
  return {
    get: async (customerId) => {
      if ((await findCustomer(customerId, scope)) === undefined) throw notFound('customer', customerId);
      return (await profileRepository(scope).customerBilling(customerId)) ?? {};
    },
    replace: (customerId, billing) =>
      scope.transaction(
        async (scope) => {
          const profileId = billing.billing_profile?.id;
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
      ),
    replaceAppData: (customerId, data) =>
      scope.transaction(
        async (scope) => {
          const billing = await profileRepository(scope).customerBilling(customerId);
          await save(scope, customerId, { ...billing, app_data: data });
          return data;
        },
        [customerLock(customerId)],
      ),
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
