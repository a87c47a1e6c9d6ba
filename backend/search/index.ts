/** One search over everything that has a page of its own. */
export { searchRoutes } from './routes.ts';
export { createSearchService } from './service.ts';
