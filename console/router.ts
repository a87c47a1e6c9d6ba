import { createRouter, createWebHistory, type Router, START_LOCATION } from 'vue-router';
import { billingRoutes } from './pages/billing/routes.ts';
import { catalogRoutes } from './pages/catalog/routes.ts';
import { meteringRoutes } from './pages/metering/routes.ts';
import { notificationRoutes } from './pages/notifications/routes.ts';
import { settingsRoutes } from './pages/settings/routes.ts';
import { awaitHeading } from './shared/heading-focus.ts';
import { mayLose } from './shared/unsaved.ts';

/** Each page is loaded when it is opened first. An area's pages stand in its own routes.ts. */
export function createConsoleRouter(): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/', component: () => import('./pages/home/home-page.vue') },
      ...meteringRoutes,
      ...catalogRoutes,
      ...billingRoutes,
      ...settingsRoutes,
      ...notificationRoutes,
      { path: '/signed-in', component: () => import('./session/signed-in-page.vue') },
      { path: '/search', component: () => import('./pages/search/search-page.vue') },
      { path: '/:rest(.*)*', component: () => import('./pages/not-found-page.vue') },
    ],
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  });
  // Another path is another page; the rest of the address only says how it is looked at.
  router.beforeEach((to, from) => (to.path === from.path ? true : mayLose()));
  router.afterEach((to, from, failure) => {
    const isOtherPage = from !== START_LOCATION && to.path !== from.path;
    if (isOtherPage && failure === undefined) awaitHeading();
  });
  return router;
}
