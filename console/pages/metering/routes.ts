import type { RouteRecordRaw } from 'vue-router';
import { needs } from '../../session/needs.ts';

export const meteringRoutes: RouteRecordRaw[] = [
  { path: '/metering', component: () => import('./meters-page.vue') },
  {
    path: '/metering/meters/new',
    meta: needs('administer', 'Create Meter'),
    component: () => import('./create-meter-page.vue'),
  },
  { path: '/metering/meters/:meterId', component: () => import('./meter-page.vue') },
  { path: '/events', redirect: '/metering/events' },
  { path: '/metering/events', component: () => import('./events-page.vue') },
];
