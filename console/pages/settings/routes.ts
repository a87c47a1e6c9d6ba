import type { RouteRecordRaw } from 'vue-router';
import { needs } from '../../session/needs.ts';
import { BILLING_ZONE } from '../../shared/page-zone.ts';

const BASE = '/settings';

export const settingsRoutes: RouteRecordRaw[] = [
  { path: BASE, redirect: `${BASE}/billing-profiles` },
  { path: `${BASE}/billing-profiles`, component: () => import('./billing-profiles-page.vue') },
  {
    path: `${BASE}/billing-profiles/new`,
    meta: needs('write', 'Create Billing Profile'),
    component: () => import('./create-billing-profile-page.vue'),
  },
  { path: `${BASE}/billing-profiles/:profileId`, component: () => import('./billing-profile-page.vue') },
  { path: `${BASE}/jobs`, meta: BILLING_ZONE, component: () => import('./jobs-page.vue') },
  { path: `${BASE}/currencies`, component: () => import('./currencies-page.vue') },
  { path: `${BASE}/apps`, component: () => import('./apps-page.vue') },
  { path: `${BASE}/tax-codes`, component: () => import('./tax-codes-page.vue') },
  { path: `${BASE}/tax-rates`, component: () => import('./tax-rates-page.vue') },
  { path: `${BASE}/sources`, component: () => import('./sources-page.vue') },
  { path: `${BASE}/gateway-nodes`, redirect: `${BASE}/sources` },
  { path: `${BASE}/corrections`, component: () => import('./corrections-page.vue') },
  { path: `${BASE}/sessions`, component: () => import('./sessions-page.vue') },
  {
    path: `${BASE}/api-tokens`,
    meta: needs('administer', 'API Tokens'),
    component: () => import('./api-tokens-page.vue'),
  },
  {
    path: `${BASE}/audit-log`,
    meta: needs('administer', 'Audit Log'),
    component: () => import('./audit-log-page.vue'),
  },
];
