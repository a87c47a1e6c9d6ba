export { gatewayNodeRoutes } from './routes.ts';
