import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Scope } from '../../platform/scope.ts';
import { CATALOG, catalogItem } from './catalog.ts';
import { appInUse, appNotFound, appTypeIsFixed, builtInAppStays, stripeNotAvailable } from './errors.ts';
import { appRepository } from './repository.ts';
import type { App, AppCatalogItem, AppPage, AppType, InstallApp, InstalledApp, UpdateApp } from './schema.ts';

/** What modules above have to do with apps. Both are called inside the transaction of the change, with its scope. */
export interface AppHooks {
  /** Makes a billing profile for the new app. @returns whether it became the default one; undefined: none is made */
  createProfile(app: App, scope: Scope): Promise<boolean | undefined>;
  /** Who needs the app, in words; empty when it may go. */
  usersOf(appId: string, scope: Scope): Promise<string[] | undefined>;
}

export interface AppsService {
  catalog(page: PageRequest): { data: AppCatalogItem[]; meta: ReturnType<typeof pageMeta> };
  /** @throws DomainProblem 501 for stripe */
  catalogItem(type: AppType): AppCatalogItem;
  /** @throws DomainProblem 501 for stripe */
  install(request: InstallApp): Promise<InstalledApp>;
  list(page: PageRequest): Promise<AppPage>;
  /** Uninstalled apps are found too; they carry `deleted_at`. @throws RequestProblem 404 */
  get(id: string): Promise<App>;
  /** undefined when there never was such an app. */
  find(id: string, scope: Scope): Promise<App | undefined>;
  /** @throws RequestProblem 404 @throws DomainProblem 400 for another type, 501 for stripe */
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
    catalogItem: (type) => {
      if (type === 'stripe') throw stripeNotAvailable();
      return catalogItem(type);
    },
    install: (request) => {
      if (request.type === 'stripe') throw stripeNotAvailable();
      const { type, name } = request;
      return scope.transaction(async (scope) => {
        const id = scope.newId();
        await appRepository(scope).insert({ id, type, name, createdAtMs: scope.clock.nowMs() });
        const app = await living(scope, id);
        const isDefault = request.create_billing_profile && (await hooks.createProfile(app, scope));
        return {
          app,
          default_for_capability_types: isDefault
            ? app.definition.capabilities.map((capability) => capability.type)
            : [],
        };
      });
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
    update: (id, request) => {
      if (request.type === 'stripe') throw stripeNotAvailable();
      return scope.transaction(async (scope) => {
        const app = await living(scope, id);
        if (app.type !== request.type) throw appTypeIsFixed(id, app.type);
        await appRepository(scope).replace(id, request, scope.clock.nowMs());
        return living(scope, id);
      });
    },
    uninstall: (id) =>
      scope.transaction(async (scope) => {
        await living(scope, id);
        if (await appRepository(scope).isBuiltIn(id)) throw builtInAppStays();
        const users = (await hooks.usersOf(id, scope)) ?? [];
        if (users.length > 0) throw appInUse(id, users);
        await appRepository(scope).markDeleted(id, scope.clock.nowMs());
      }),
  };
}

async function living(scope: Scope, id: string): Promise<App> {
  const app = await appRepository(scope).byId(id);
  if (app === undefined || app.deleted_at !== undefined) throw appNotFound(id);
  return app;
}
