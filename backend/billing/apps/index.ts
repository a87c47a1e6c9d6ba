export { appRoutes } from './routes.ts';
export type { App, AppType } from './schema.ts';
export { type AppHooks, type AppsService, createAppsService } from './service.ts';
