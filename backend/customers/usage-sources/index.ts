/** Where usage comes from, and usage that has no customer yet. */
export { createKongConsumers, type KongAdminSettings } from './kong-consumers.ts';
export { usageSourceRoutes } from './routes.ts';
export { createUsageSources, type UsageSourcesService } from './service.ts';
