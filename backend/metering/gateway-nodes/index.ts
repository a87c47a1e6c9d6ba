export { gatewayNodeRoutes } from './routes.ts';
export { createSources } from './service.ts';
