import { createRouter, createWebHistory, type Router } from 'vue-router';
import { catalogRoutes } from './pages/catalog/routes.ts';
import { meteringRoutes } from './pages/metering/routes.ts';

/** Each page is loaded when it is opened first. An area's pages stand in its own routes.ts. */
export function createConsoleRouter(): Router {
  return createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/', component: () => import('./pages/home/home-page.vue') },
      ...meteringRoutes,
      ...catalogRoutes,
      { path: '/:rest(.*)*', component: () => import('./pages/not-found-page.vue') },
    ],
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  });
}
