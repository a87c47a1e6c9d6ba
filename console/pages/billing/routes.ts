import type { RouteRecordRaw } from 'vue-router';
import { needs } from '../../session/needs.ts';
import { BILLING_ZONE } from '../../shared/page-zone.ts';

const BASE = '/billing';

const pages: RouteRecordRaw[] = [
  { path: BASE, redirect: `${BASE}/customers` },
  { path: `${BASE}/customers`, component: () => import('./customers-page.vue') },
  {
    path: `${BASE}/customers/new`,
    meta: needs('write', 'Create Customer'),
    component: () => import('./create-customer-page.vue'),
  },
  {
    path: `${BASE}/customers/:customerId/subscriptions/new`,
    meta: needs('write', 'Create a Subscription'),
    component: () => import('./create-subscription-page.vue'),
  },
  {
    path: `${BASE}/customers/:customerId/charges/new`,
    meta: needs('write', 'Add charge'),
    component: () => import('./create-charge-page.vue'),
  },
  { path: `${BASE}/customers/:customerId/:tab?`, component: () => import('./customer-page.vue') },
  { path: `${BASE}/invoices`, component: () => import('./invoices-page.vue') },
  { path: `${BASE}/invoices/:invoiceId`, component: () => import('./invoice-page.vue') },
];

export const billingRoutes = pages.map((page) => ({ ...page, meta: { ...page.meta, ...BILLING_ZONE } }));
