import { computed } from 'vue';
import { type RouteMeta, useRoute } from 'vue-router';

declare module 'vue-router' {
  interface RouteMeta {
    /** The zone of all times on the page; none: the viewer's. */
    zone?: 'UTC';
  }
}

/** For the meta of pages about billing: it is computed in UTC, and documents say so; another zone would name other days. */
export const BILLING_ZONE: RouteMeta = { zone: 'UTC' };

/** The zone of the page's times: undefined is the viewer's. */
export function usePageZone() {
  const route = useRoute();
  return computed(() => route.meta.zone);
}
