export { stripeNotAvailable } from './errors.ts';
export { appRoutes } from './routes.ts';
export type { App, AppType } from './schema.ts';
export { type AppHooks, type AppsService, createAppsService } from './service.ts';

/** The sandbox that is there from the first start on; the same id in every installation. */
export const BUILT_IN_SANDBOX_ID = '01JD0000000000000000000001';
