import type { Clock } from '../../platform/clock.ts';
import type { ControlDb } from '../../platform/db/control-db.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { NewId } from '../../platform/ids.ts';
import { CATALOG, catalogItem } from './catalog.ts';
import { appInUse, appNotFound, appTypeIsFixed, builtInAppStays, stripeNotAvailable } from './errors.ts';
import { appRepository } from './repository.ts';
import type { App, AppCatalogItem, AppPage, AppType, InstallApp, InstalledApp, UpdateApp } from './schema.ts';

/** What modules above have to do with apps. Both are called inside the transaction of the change, with its handle. */
export interface AppHooks {
  /** Makes a billing profile for the new app. @returns whether it became the default one */
  createProfile(app: App, db: ControlDb): Promise<boolean>;
  /** Who needs the app, in words; empty when it may go. */
  usersOf(appId: string, db: ControlDb): Promise<string[]>;
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
  find(id: string, db?: ControlDb): Promise<App | undefined>;
  /** @throws RequestProblem 404 @throws DomainProblem 400 for another type, 501 for stripe */
  update(id: string, request: UpdateApp): Promise<App>;
  /** @throws RequestProblem 404 @throws DomainProblem 400 for the built-in sandbox, 409 while something uses the app */
  uninstall(id: string): Promise<void>;
}

/** Apps that issue invoices and collect payments. */
export function createAppsService(deps: { db: ControlDb; clock: Clock; newId: NewId; hooks: AppHooks }): AppsService {
  const { db, clock, newId, hooks } = deps;
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
      return db.transaction(async (trx) => {
        const id = newId();
        await appRepository(trx).insert({ id, type, name, createdAtMs: clock.nowMs() });
        const app = await living(trx, id);
        const isDefault = request.create_billing_profile && (await hooks.createProfile(app, trx));
        return {
          app,
          default_for_capability_types: isDefault
            ? app.definition.capabilities.map((capability) => capability.type)
            : [],
        };
      });
    },
    list: async (page) => {
      const { apps, total } = await appRepository(db).page(page);
      return { data: apps, meta: pageMeta(page, total) };
    },
    get: async (id) => {
      const app = await appRepository(db).byId(id);
      if (app === undefined) throw appNotFound(id);
      return app;
    },
    find: (id, handle = db) => appRepository(handle).byId(id),
    update: (id, request) => {
      if (request.type === 'stripe') throw stripeNotAvailable();
      return db.transaction(async (trx) => {
        const app = await living(trx, id);
        if (app.type !== request.type) throw appTypeIsFixed(id, app.type);
        await appRepository(trx).replace(id, request, clock.nowMs());
        return living(trx, id);
      });
    },
    uninstall: (id) =>
      db.transaction(async (trx) => {
        await living(trx, id);
        if (await appRepository(trx).isBuiltIn(id)) throw builtInAppStays();
        const users = await hooks.usersOf(id, trx);
        if (users.length > 0) throw appInUse(id, users);
        await appRepository(trx).markDeleted(id, clock.nowMs());
      }),
  };
}

async function living(db: ControlDb, id: string): Promise<App> {
  const app = await appRepository(db).byId(id);
  if (app === undefined || app.deleted_at !== undefined) throw appNotFound(id);
  return app;
}
