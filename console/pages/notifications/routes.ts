import type { RouteRecordRaw } from 'vue-router';

const BASE = '/settings/notifications';

export const notificationRoutes: RouteRecordRaw[] = [
  { path: BASE, component: () => import('./notifications-page.vue') },
  { path: `${BASE}/deliveries`, component: () => import('./deliveries-page.vue') },
];
