import type { RouteRecordRaw } from 'vue-router';
import { needs } from '../../session/needs.ts';

const BASE = '/product-catalog';

export const catalogRoutes: RouteRecordRaw[] = [
  { path: BASE, redirect: `${BASE}/features` },
  { path: `${BASE}/features`, component: () => import('./features-page.vue') },
  {
    path: `${BASE}/features/new`,
    meta: needs('write', 'Create Feature'),
    component: () => import('./create-feature-page.vue'),
  },
  { path: `${BASE}/features/:featureId`, component: () => import('./feature-page.vue') },
  { path: `${BASE}/plans`, component: () => import('./plans-page.vue') },
  { path: `${BASE}/plans/new`, meta: needs('write', 'Create Plan'), component: () => import('./create-plan-page.vue') },
  { path: `${BASE}/plans/:planId`, component: () => import('./plan-page.vue') },
  {
    path: `${BASE}/plans/:planId/phases/:phaseKey/rate-cards/new`,
    meta: needs('write', 'Add Rate Card'),
    component: () => import('./rate-card-page.vue'),
  },
  {
    path: `${BASE}/plans/:planId/phases/:phaseKey/rate-cards/:cardKey`,
    component: () => import('./rate-card-page.vue'),
  },
  { path: `${BASE}/addons`, component: () => import('./addons-page.vue') },
  {
    path: `${BASE}/addons/new`,
    meta: needs('write', 'Create Add-on'),
    component: () => import('./create-addon-page.vue'),
  },
  { path: `${BASE}/addons/:addonId`, component: () => import('./addon-page.vue') },
  {
    path: `${BASE}/addons/:addonId/rate-cards/new`,
    meta: needs('write', 'Add Rate Card'),
    component: () => import('./addon-rate-card-page.vue'),
  },
  { path: `${BASE}/addons/:addonId/rate-cards/:cardKey`, component: () => import('./addon-rate-card-page.vue') },
];
