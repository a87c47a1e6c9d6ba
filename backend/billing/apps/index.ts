export { accountRefused } from './errors.ts';
export type { AppAccount } from './repository.ts';
export { appRoutes } from './routes.ts';
export type { App, AppType } from './schema.ts';
export { type AppHooks, type AppsService, type Connection, createAppsService } from './service.ts';
