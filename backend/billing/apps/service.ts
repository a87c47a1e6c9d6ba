import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Scope } from '../../platform/scope.ts';
import { CATALOG, catalogItem } from './catalog.ts';
import { accountInUse, appInUse, appNotFound, appTypeIsFixed, builtInAppStays } from './errors.ts';
import { type AppAccount, appRepository } from './repository.ts';
import type { App, AppCatalogItem, AppPage, AppType, InstallApp, InstalledApp, UpdateApp } from './schema.ts';

/** An account that a key opens, connected to this server. */
export interface Connection {
  account: AppAccount;
  /** Keeps what is secret. Inside the transaction of the change. */
  keep(scope: Scope): Promise<void>;
  /** Takes back what was set up there: nothing came of it. */
  undo(): Promise<void>;
}

/** What modules above have to do with apps. The first two are called inside the transaction of the change, with its scope. */
export interface AppHooks {
  /** Makes a billing profile for the new app. @returns whether it became the default one; undefined: none is made */
  createProfile(app: App, scope: Scope): Promise<boolean | undefined>;
  /** Who needs the app, in words; empty when it may go. */
  usersOf(appId: string, scope: Scope): Promise<string[] | undefined>;
  /**
   * Asks the payment system whose account the key opens, and has it tell this server what happens there.
   * @param known of the app that gets another key @throws DomainProblem 400
   */
  connect(appId: string, apiKey: string, known: AppAccount | undefined): Promise<Connection | undefined>;
  /** The app is to go: what was set up there goes first. */
  disconnect(appId: string): Promise<unknown>;
}

export interface AppsService {
  catalog(page: PageRequest): { data: AppCatalogItem[]; meta: ReturnType<typeof pageMeta> };
  catalogItem(type: AppType): AppCatalogItem;
  /** @throws DomainProblem 400 for a key that opens no account, 409 when an app uses its account */
  install(request: InstallApp): Promise<InstalledApp>;
  list(page: PageRequest): Promise<AppPage>;
  /** Uninstalled apps are found too; they carry `deleted_at`. @throws RequestProblem 404 */
  get(id: string): Promise<App>;
  /** undefined when there never was such an app. */
  find(id: string, scope: Scope): Promise<App | undefined>;
  /** @throws RequestProblem 404 @throws DomainProblem 400 for another type, and for a key of another account */
  /** Notes that an app's key is not taken any more. */
  markUnauthorized(id: string): Promise<void>;
  /** The first app of Stripe; undefined: there is none. */
  ofStripe(): Promise<App | undefined>;
  /** Those whose key is not taken any more. */
  unauthorized(): Promise<string[]>;
  update(id: string, request: UpdateApp): Promise<App>;
  /** @throws RequestProblem 404 @throws DomainProblem 400 for the built-in sandbox, 409 while something uses the app */
  uninstall(id: string): Promise<void>;
}

/** Apps that issue invoices and collect payments. */
export function createAppsService(deps: { scope: Scope; hooks: AppHooks }): AppsService {
  const { scope, hooks } = deps;
  return {
    catalog: (page) => ({
      data: CATALOG.slice((page.number - 1) * page.size, page.number * page.size),
      meta: pageMeta(page, CATALOG.length),
    }),
    catalogItem,
    install: async (request) => {
      const id = scope.newId();
      if (request.type !== 'stripe') return install(scope, hooks, id, request, undefined);
      const connection = await hooks.connect(id, request.api_key, undefined);
      return unlessFails(connection, () => install(scope, hooks, id, request, connection));
    },
    list: async (page) => {
      const { apps, total } = await appRepository(scope).page(page);
      return { data: apps, meta: pageMeta(page, total) };
    },
    get: async (id) => {
      const app = await appRepository(scope).byId(id);
      if (app === undefined) throw appNotFound(id);
      return app;
    },
    find: (id, own) => appRepository(own).byId(id),
    update: async (id, request) => {
      const app = await living(scope, id);
      if (app.type !== request.type) throw appTypeIsFixed(id, app.type);
      const key = request.type === 'stripe' ? request.secret_api_key : undefined;
      const connection = key === undefined ? undefined : await hooks.connect(id, key, accountOf(app));
      return unlessFails(connection, () =>
        scope.transaction(async (scope) => {
          await living(scope, id);
          await appRepository(scope).replace(id, request, scope.clock.nowMs());
          if (connection !== undefined) {
            await appRepository(scope).saveAccount(id, connection.account, scope.clock.nowMs());
            await connection.keep(scope);
          }
          return living(scope, id);
        }),
      );
    },
    markUnauthorized: (id) =>
      scope.transaction(async (scope) => {
        const account = accountOf(await living(scope, id));
        if (account === undefined) return;
        await appRepository(scope).saveAccount(id, { ...account, status: 'unauthorized' }, scope.clock.nowMs());
      }),
    ofStripe: async () => (await appRepository(scope).ofType('stripe', 1))[0],
    unauthorized: async () => {
      const apps = await appRepository(scope).ofType('stripe', MAX_ACCOUNTS);
      return apps.filter(({ status }) => status === 'unauthorized').map(({ id }) => id);
    },
    uninstall: async (id) => {
      await mayGo(scope, hooks, id);
      await hooks.disconnect(id);
      await scope.transaction(async (scope) => {
        await mayGo(scope, hooks, id);
        await appRepository(scope).markDeleted(id, scope.clock.nowMs());
      });
    },
  };
}

/** An operator has a handful of accounts. */
const MAX_ACCOUNTS = 100;

/** What goes into the database for a new app, and the profile that it brings along. */
function install(
  scope: Scope,
  hooks: AppHooks,
  id: string,
  { type, name, create_billing_profile }: InstallApp,
  connection: Connection | undefined,
): Promise<InstalledApp> {
  return scope.transaction(async (scope) => {
    const apps = appRepository(scope);
    const account = connection?.account;
    const others = account === undefined ? [] : await apps.ofType(type, MAX_ACCOUNTS);
    const other = others.find((app) => accountOf(app)?.accountId === account?.accountId);
    if (other !== undefined && account !== undefined) throw accountInUse(account.accountId, other.id);
    await apps.insert({ id, type, name, ...(account !== undefined && { account }), createdAtMs: scope.clock.nowMs() });
    await connection?.keep(scope);
    const app = await living(scope, id);
    const isDefault = create_billing_profile && (await hooks.createProfile(app, scope));
    return {
      app,
      default_for_capability_types: isDefault ? app.definition.capabilities.map((capability) => capability.type) : [],
    };
  });
}

async function unlessFails<Result>(connection: Connection | undefined, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await connection?.undo();
    throw error;
  }
}

function accountOf(app: App): AppAccount | undefined {
  if (app.type !== 'stripe') return undefined;
  const { account_id, livemode, masked_api_key, status } = app;
  return { accountId: account_id, livemode, maskedApiKey: masked_api_key, status };
}

async function mayGo(scope: Scope, hooks: AppHooks, id: string): Promise<void> {
  await living(scope, id);
  if (await appRepository(scope).isBuiltIn(id)) throw builtInAppStays();
  const users = (await hooks.usersOf(id, scope)) ?? [];
  if (users.length > 0) throw appInUse(id, users);
}

async function living(scope: Scope, id: string): Promise<App> {
  const app = await appRepository(scope).byId(id);
  if (app === undefined || app.deleted_at !== undefined) throw appNotFound(id);
  return app;
}
