import type { RouteRecordRaw } from 'vue-router';

const BASE = '/settings';

export const settingsRoutes: RouteRecordRaw[] = [
  { path: BASE, redirect: `${BASE}/billing-profiles` },
  { path: `${BASE}/billing-profiles`, component: () => import('./billing-profiles-page.vue') },
  { path: `${BASE}/apps`, component: () => import('./apps-page.vue') },
  { path: `${BASE}/tax-codes`, component: () => import('./tax-codes-page.vue') },
  { path: `${BASE}/gateway-nodes`, component: () => import('./gateway-nodes-page.vue') },
  { path: `${BASE}/corrections`, component: () => import('./corrections-page.vue') },
];
