import type { Clock } from '../../platform/clock.ts';
import type { ControlDb } from '../../platform/db/control-db.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { NewId } from '../../platform/ids.ts';
import type { App } from '../apps/index.ts';
import { profileNotFound, profileProblem } from './errors.ts';
import { profileRepository, type StoredProfile } from './repository.ts';
import type { AdjustmentSettings, BillingProfile, BillingProfilePage, CreateProfile, UpsertProfile } from './schema.ts';
import { workflowSchema } from './workflow-schema.ts';

/** What the module asks of others, inside the transaction of a change. */
export interface ProfileHooks {
  findApp(id: string, db: ControlDb): Promise<App | undefined>;
  /** Customers without a profile of their own that have invoices which are not final. */
  customersWithOpenInvoices(db: ControlDb): Promise<string[]>;
  /** Invoices of the profile that are not final. */
  countOpenInvoices(profileId: string, db: ControlDb): Promise<number>;
}

export interface ProfilesService {
  /** @throws DomainProblem 400 */
  create(request: CreateProfile): Promise<BillingProfile>;
  list(page: PageRequest): Promise<BillingProfilePage>;
  /** Deleted profiles are found too; they carry `deleted_at`. @throws RequestProblem 404 */
  get(id: string): Promise<BillingProfile>;
  /** @throws RequestProblem 404 @throws DomainProblem 400 */
  update(id: string, request: UpsertProfile): Promise<BillingProfile>;
  /** @throws RequestProblem 404 @throws DomainProblem 400 while it is the default or used */
  remove(id: string): Promise<void>;
  adjustments(id: string): Promise<AdjustmentSettings>;
  setAdjustments(id: string, settings: AdjustmentSettings): Promise<AdjustmentSettings>;
  /** For a new app: a profile of it, which becomes the default one where the default's app is a sandbox. */
  createForApp(app: App, trx: ControlDb): Promise<boolean>;
  /** Profiles with the app, in words: what keeps it from being uninstalled. */
  usersOfApp(appId: string, trx: ControlDb): Promise<string[]>;
}

const DEFAULT_ADJUSTMENTS: AdjustmentSettings = { late_usage: 'bill', unused_time: 'credit' };
/** Customers named in the answer that refuses a deletion. */
const MAX_NAMED_CUSTOMERS = 20;

/** Billing profiles and their rules. */
export function createProfilesService(deps: {
  db: ControlDb;
  clock: Clock;
  newId: NewId;
  hooks: ProfileHooks;
}): ProfilesService {
  const { db, clock, newId, hooks } = deps;
  const insert = async (trx: ControlDb, request: Omit<CreateProfile, 'apps'>, appId: string): Promise<string> => {
    const id = newId();
    const createdAtMs = clock.nowMs();
    await profileRepository(trx).insert({ ...request, id, appId, adjustments: DEFAULT_ADJUSTMENTS, createdAtMs });
    if (request.default) await becomeDefault(trx, id, hooks, createdAtMs);
    return id;
  };
  return {
    create: (request) =>
      db.transaction(async (trx) => {
        const appId = await checkedApp(trx, request.apps, hooks);
        return (await living(trx, await insert(trx, request, appId))).profile;
      }),
    list: async (page) => {
      const { profiles, total } = await profileRepository(db).page(page);
      return { data: profiles, meta: pageMeta(page, total) };
    },
    get: async (id) => (await existing(db, id)).profile,
    update: (id, request) =>
      db.transaction(async (trx) => {
        const { profile } = await living(trx, id);
        if (profile.default && !request.default) throw profileProblem('default_profile_cannot_be_unset');
        await profileRepository(trx).replace(id, request, clock.nowMs());
        if (request.default && !profile.default) await becomeDefault(trx, id, hooks, clock.nowMs());
        return (await living(trx, id)).profile;
      }),
    remove: (id) =>
      db.transaction(async (trx) => {
        const { profile } = await living(trx, id);
        if (profile.default) throw profileProblem('default_profile_cannot_be_deleted');
        await refuseWhileUsed(trx, id, hooks);
        await profileRepository(trx).markDeleted(id, clock.nowMs());
      }),
    adjustments: async (id) => (await existing(db, id)).adjustments,
    setAdjustments: (id, settings) =>
      db.transaction(async (trx) => {
        await living(trx, id);
        await profileRepository(trx).replaceAdjustments(id, settings, clock.nowMs());
        return settings;
      }),
    createForApp: async (app, trx) => {
      const { profile: current } = await profileRepository(trx).theDefault();
      const appOfDefault = await hooks.findApp(current.apps.invoicing.id, trx);
      const isDefault = appOfDefault?.type === 'sandbox' && app.type !== 'sandbox';
      const request = {
        name: app.name,
        supplier: current.supplier,
        workflow: workflowSchema.parse({}),
        default: isDefault,
      };
      await insert(trx, request, app.id);
      return isDefault;
    },
    usersOfApp: async (appId, trx) => {
      const users = await profileRepository(trx).byApp(appId);
      return users.map((profile) => `billing profile ${JSON.stringify(profile.name)} (${profile.id})`);
    },
  };
}

/**
 * Customers with open invoices keep the profile that these were made with, where that was a sandbox's: their next
 * invoices must not suddenly ask for money.
 */
async function becomeDefault(trx: ControlDb, id: string, hooks: ProfileHooks, atMs: number): Promise<void> {
  const profiles = profileRepository(trx);
  const { profile: old } = await profiles.theDefault();
  const [oldApp, next] = [await hooks.findApp(old.apps.invoicing.id, trx), await living(trx, id)];
  const nextApp = await hooks.findApp(next.profile.apps.invoicing.id, trx);
  await profiles.makeDefault(id);
  if (oldApp?.type !== 'sandbox' || nextApp?.type === 'sandbox') return;
  for (const customerId of await hooks.customersWithOpenInvoices(trx)) {
    const billing = await profiles.customerBilling(customerId);
    if (billing?.billing_profile !== undefined) continue;
    await profiles.saveCustomerBilling(customerId, { ...billing, billing_profile: { id: old.id } }, atMs);
  }
}

async function checkedApp(trx: ControlDb, apps: CreateProfile['apps'], hooks: ProfileHooks): Promise<string> {
  const { id } = apps.invoicing;
  if (apps.tax.id !== id || apps.payment.id !== id) throw profileProblem('profile_apps_differ');
  const app = await hooks.findApp(id, trx);
  if (app === undefined || app.deleted_at !== undefined) throw profileProblem('profile_app_not_found', id);
  return id;
}

async function refuseWhileUsed(trx: ControlDb, id: string, hooks: ProfileHooks): Promise<void> {
  const { ids, total } = await profileRepository(trx).pinnedCustomers(id, MAX_NAMED_CUSTOMERS);
  if (total > 0) {
    const named = `${total} customers have it as their own: ${ids.join(', ')}${total > ids.length ? ', …' : ''}`;
    throw profileProblem('profile_referenced', named, { attributes: { customers: ids, total } });
  }
  const invoices = await hooks.countOpenInvoices(id, trx);
  if (invoices > 0)
    throw profileProblem('profile_referenced', `${invoices} invoices of it are not final`, {
      attributes: { invoices },
    });
}

async function existing(db: ControlDb, id: string): Promise<StoredProfile> {
  const stored = await profileRepository(db).byId(id);
  if (stored === undefined) throw profileNotFound(id);
  return stored;
}

async function living(db: ControlDb, id: string): Promise<StoredProfile> {
  const stored = await existing(db, id);
  if (stored.profile.deleted_at !== undefined) throw profileProblem('profile_already_deleted', id);
  return stored;
}
