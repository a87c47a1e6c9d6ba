import { createRouter, createWebHistory, type Router } from 'vue-router';
import { billingRoutes } from './pages/billing/routes.ts';
import { catalogRoutes } from './pages/catalog/routes.ts';
import { meteringRoutes } from './pages/metering/routes.ts';
import { settingsRoutes } from './pages/settings/routes.ts';

/** Each page is loaded when it is opened first. An area's pages stand in its own routes.ts. */
export function createConsoleRouter(): Router {
  return createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/', component: () => import('./pages/home/home-page.vue') },
      ...meteringRoutes,
      ...catalogRoutes,
      ...billingRoutes,
      ...settingsRoutes,
      { path: '/:rest(.*)*', component: () => import('./pages/not-found-page.vue') },
    ],
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  });
}
