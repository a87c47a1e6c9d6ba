import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Scope } from '../../platform/scope.ts';
import type { App } from '../apps/index.ts';
import type { DocumentSettings, NumberingSettings } from './document-schema.ts';
import { profileNotFound, profileProblem } from './errors.ts';
import { profileRepository, type StoredProfile } from './repository.ts';
import type { AdjustmentSettings, BillingProfile, BillingProfilePage, CreateProfile, UpsertProfile } from './schema.ts';
import { workflowSchema } from './workflow-schema.ts';

/** What the module asks of others, inside the transaction of a change. */
export interface ProfileHooks {
  findApp(id: string, scope: Scope): Promise<App | undefined>;
  /** Customers without a profile of their own that have invoices which are not final. */
  customersWithOpenInvoices(scope: Scope): Promise<string[]>;
  /** Invoices of the profile that are not final. */
  countOpenInvoices(profileId: string, scope: Scope): Promise<number>;
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
  /** @throws RequestProblem 404 */
  documentSettings(id: string): Promise<DocumentSettings>;
  /** @throws RequestProblem 404 @throws DomainProblem 400 */
  setDocumentSettings(id: string, settings: DocumentSettings): Promise<DocumentSettings>;
  /** @throws RequestProblem 404 */
  numbering(id: string): Promise<NumberingSettings>;
  /** @throws RequestProblem 404 @throws DomainProblem 400 */
  setNumbering(id: string, settings: NumberingSettings): Promise<NumberingSettings>;
  /** Deleted profiles too: invoices of theirs go on. @throws RequestProblem 404 */
  stored(id: string, scope: Scope): Promise<StoredProfile>;
  /** For a new app: a profile of it, which becomes the default one where the default's app is a sandbox. */
  createForApp(app: App, scope: Scope): Promise<boolean>;
  /** Profiles with the app, in words: what keeps it from being uninstalled. */
  usersOfApp(appId: string, scope: Scope): Promise<string[]>;
}

const DEFAULT_ADJUSTMENTS: AdjustmentSettings = { late_usage: 'bill', unused_time: 'credit' };
/** Customers named in the answer that refuses a deletion. */
const MAX_NAMED_CUSTOMERS = 20;

/** Billing profiles and their rules. */
export function createProfilesService(deps: { scope: Scope; hooks: ProfileHooks }): ProfilesService {
  const { scope, hooks } = deps;
  const insert = async (scope: Scope, request: Omit<CreateProfile, 'apps'>, appId: string): Promise<string> => {
    const id = scope.newId();
    const createdAtMs = scope.clock.nowMs();
    await profileRepository(scope).insert({ ...request, id, appId, adjustments: DEFAULT_ADJUSTMENTS, createdAtMs });
    if (request.default) await becomeDefault(scope, id, hooks, createdAtMs);
    return id;
  };
  return {
    create: (request) =>
      scope.transaction(async (scope) => {
        const appId = await checkedApp(scope, request.apps, hooks);
        return (await living(scope, await insert(scope, request, appId))).profile;
      }),
    list: async (page) => {
      const { profiles, total } = await profileRepository(scope).page(page);
      return { data: profiles, meta: pageMeta(page, total) };
    },
    get: async (id) => (await existing(scope, id)).profile,
    update: (id, request) =>
      scope.transaction(async (scope) => {
        const { profile } = await living(scope, id);
        if (profile.default && !request.default) throw profileProblem('default_profile_cannot_be_unset');
        await profileRepository(scope).replace(id, request, scope.clock.nowMs());
        if (request.default && !profile.default) await becomeDefault(scope, id, hooks, scope.clock.nowMs());
        return (await living(scope, id)).profile;
      }),
    remove: (id) =>
      scope.transaction(async (scope) => {
        const { profile } = await living(scope, id);
        if (profile.default) throw profileProblem('default_profile_cannot_be_deleted');
        await refuseWhileUsed(scope, id, hooks);
        await profileRepository(scope).markDeleted(id, scope.clock.nowMs());
      }),
    adjustments: async (id) => (await existing(scope, id)).adjustments,
    setAdjustments: (id, settings) =>
      scope.transaction(async (scope) => {
        await living(scope, id);
        await profileRepository(scope).replaceAdjustments(id, settings, scope.clock.nowMs());
        return settings;
      }),
    documentSettings: async (id) => {
      await existing(scope, id);
      return profileRepository(scope).documentSettings(id);
    },
    setDocumentSettings: (id, settings) =>
      scope.transaction(async (scope) => {
        await living(scope, id);
        await profileRepository(scope).replaceDocumentSettings(id, settings, scope.clock.nowMs());
        return settings;
      }),
    numbering: async (id) => {
      const { numbering } = await existing(scope, id);
      return numbering === undefined ? {} : { numbering };
    },
    setNumbering: (id, settings) =>
      scope.transaction(async (scope) => {
        await living(scope, id);
        await profileRepository(scope).replaceNumbering(id, settings.numbering, scope.clock.nowMs());
        return settings;
      }),
    stored: (id, own) => existing(own, id),
    createForApp: async (app, scope) => {
      const { profile: current } = await profileRepository(scope).theDefault();
      const appOfDefault = await hooks.findApp(current.apps.invoicing.id, scope);
      const isDefault = appOfDefault?.type === 'sandbox' && app.type !== 'sandbox';
      const request = {
        name: app.name,
        supplier: current.supplier,
        workflow: workflowSchema.parse({}),
        default: isDefault,
      };
      await insert(scope, request, app.id);
      return isDefault;
    },
    usersOfApp: async (appId, scope) => {
      const users = await profileRepository(scope).byApp(appId);
      return users.map((profile) => `billing profile ${JSON.stringify(profile.name)} (${profile.id})`);
    },
  };
}

/**
 * Customers with open invoices keep the profile that these were made with, where that was a sandbox's: their next
 * invoices must not suddenly ask for money.
 */
async function becomeDefault(scope: Scope, id: string, hooks: ProfileHooks, atMs: number): Promise<void> {
  const profiles = profileRepository(scope);
  const { profile: old } = await profiles.theDefault();
  const [oldApp, next] = [await hooks.findApp(old.apps.invoicing.id, scope), await living(scope, id)];
  const nextApp = await hooks.findApp(next.profile.apps.invoicing.id, scope);
  await profiles.makeDefault(id);
  if (oldApp?.type !== 'sandbox' || nextApp?.type === 'sandbox') return;
  for (const customerId of await hooks.customersWithOpenInvoices(scope)) {
    const billing = await profiles.customerBilling(customerId);
    if (billing?.billing_profile !== undefined) continue;
    await profiles.saveCustomerBilling(customerId, { ...billing, billing_profile: { id: old.id } }, atMs);
  }
}

async function checkedApp(scope: Scope, apps: CreateProfile['apps'], hooks: ProfileHooks): Promise<string> {
  const { id } = apps.invoicing;
  if (apps.tax.id !== id || apps.payment.id !== id) throw profileProblem('profile_apps_differ');
  const app = await hooks.findApp(id, scope);
  if (app === undefined || app.deleted_at !== undefined) throw profileProblem('profile_app_not_found', id);
  return id;
}

async function refuseWhileUsed(scope: Scope, id: string, hooks: ProfileHooks): Promise<void> {
  const { ids, total } = await profileRepository(scope).pinnedCustomers(id, MAX_NAMED_CUSTOMERS);
  if (total > 0) {
    const named = `${total} customers have it as their own: ${ids.join(', ')}${total > ids.length ? ', …' : ''}`;
    throw profileProblem('profile_referenced', named, { attributes: { customers: ids, total } });
  }
  const invoices = await hooks.countOpenInvoices(id, scope);
  if (invoices > 0)
    throw profileProblem('profile_referenced', `${invoices} invoices of it are not final`, {
      attributes: { invoices },
    });
}

async function existing(scope: Scope, id: string): Promise<StoredProfile> {
  const stored = await profileRepository(scope).byId(id);
  if (stored === undefined) throw profileNotFound(id);
  return stored;
}

async function living(scope: Scope, id: string): Promise<StoredProfile> {
  const stored = await existing(scope, id);
  if (stored.profile.deleted_at !== undefined) throw profileProblem('profile_already_deleted', id);
  return stored;
}
