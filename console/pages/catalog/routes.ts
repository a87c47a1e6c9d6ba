import type { RouteRecordRaw } from 'vue-router';

const BASE = '/product-catalog';

export const catalogRoutes: RouteRecordRaw[] = [
  { path: BASE, redirect: `${BASE}/features` },
  { path: `${BASE}/features`, component: () => import('./features-page.vue') },
  { path: `${BASE}/features/new`, component: () => import('./create-feature-page.vue') },
  { path: `${BASE}/features/:featureId`, component: () => import('./feature-page.vue') },
  { path: `${BASE}/plans`, component: () => import('./plans-page.vue') },
  { path: `${BASE}/plans/new`, component: () => import('./create-plan-page.vue') },
  { path: `${BASE}/plans/:planId`, component: () => import('./plan-page.vue') },
  { path: `${BASE}/plans/:planId/phases/:phaseKey/rate-cards/new`, component: () => import('./rate-card-page.vue') },
  {
    path: `${BASE}/plans/:planId/phases/:phaseKey/rate-cards/:cardKey`,
    component: () => import('./rate-card-page.vue'),
  },
  { path: `${BASE}/addons`, component: () => import('./addons-page.vue') },
  { path: `${BASE}/addons/new`, component: () => import('./create-addon-page.vue') },
  { path: `${BASE}/addons/:addonId`, component: () => import('./addon-page.vue') },
  { path: `${BASE}/addons/:addonId/rate-cards/new`, component: () => import('./addon-rate-card-page.vue') },
  { path: `${BASE}/addons/:addonId/rate-cards/:cardKey`, component: () => import('./addon-rate-card-page.vue') },
];
