import type { Clock } from '../../platform/clock.ts';
import type { ControlDb } from '../../platform/db/control-db.ts';
import { notFound, RequestProblem } from '../../platform/errors.ts';
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
  /** The profile that bills the customer. @param trx handle of the caller's transaction */
  profileOf(customerId: string, trx?: ControlDb): Promise<StoredProfile>;
}

/** @param deps.findCustomer deleted customers too; undefined when there never was one */
export function createCustomerBilling(deps: {
  db: ControlDb;
  clock: Clock;
  findCustomer: (id: string, db: ControlDb) => Promise<BilledCustomer | undefined>;
}): CustomerBillingService {
  const { db, clock, findCustomer } = deps;
  const save = async (trx: ControlDb, customerId: string, billing: CustomerBilling) => {
    await livingCustomer(findCustomer, customerId, trx);
    if (billing.app_data?.stripe !== undefined) throw profileProblem('stripe_app_not_available');
    await profileRepository(trx).saveCustomerBilling(customerId, billing, clock.nowMs());
  };
  return {
    get: async (customerId) => {
      if ((await findCustomer(customerId, db)) === undefined) throw notFound('customer', customerId);
      return (await profileRepository(db).customerBilling(customerId)) ?? {};
    },
    replace: (customerId, billing) =>
      db.transaction(async (trx) => {
        const profileId = billing.billing_profile?.id;
        if (profileId !== undefined) {
          const stored = await profileRepository(trx).byId(profileId);
          if (stored === undefined || stored.profile.deleted_at !== undefined) {
            throw profileProblem('profile_not_found', profileId);
          }
        }
        await save(trx, customerId, billing);
        return billing;
      }),
    replaceAppData: (customerId, data) =>
      db.transaction(async (trx) => {
        const billing = await profileRepository(trx).customerBilling(customerId);
        await save(trx, customerId, { ...billing, app_data: data });
        return data;
      }),
    profileOf: async (customerId, trx = db) => {
      const profiles = profileRepository(trx);
      const own = (await profiles.customerBilling(customerId))?.billing_profile?.id;
      return (own === undefined ? undefined : await profiles.byId(own)) ?? profiles.theDefault();
    },
  };
}

async function livingCustomer(
  find: (id: string, db: ControlDb) => Promise<BilledCustomer | undefined>,
  id: string,
  trx: ControlDb,
): Promise<void> {
  const customer = await find(id, trx);
  if (customer === undefined) throw notFound('customer', id);
  if (customer.deleted_at !== undefined) throw new RequestProblem('gone', `customer ${id} was deleted`);
}
