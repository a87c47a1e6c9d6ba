import type { RouteLocationRaw } from 'vue-router';
import type { Found, SearchGroup } from '../../api/search.ts';

interface Kind {
  title: string;
  /** The page of a thing. */
  to(found: Found): RouteLocationRaw;
  /** The list in which the rest is. */
  list?(text: string): RouteLocationRaw;
}

/** How what a search finds is named, and where it leads. */
export const KINDS: Readonly<Record<SearchGroup['kind'], Kind>> = {
  customer: {
    title: 'Customers',
    to: ({ id }) => `/billing/customers/${id}`,
    list: (q) => ({ path: '/billing/customers', query: { q } }),
  },
  subscription: { title: 'Subscriptions', to: ({ customer }) => `/billing/customers/${customer?.id}/subscriptions` },
  invoice: { title: 'Invoices', to: ({ id }) => `/billing/invoices/${id}` },
  plan: {
    title: 'Plans',
    to: ({ id }) => `/product-catalog/plans/${id}`,
    list: (q) => ({ path: '/product-catalog/plans', query: { q } }),
  },
  addon: {
    title: 'Add-ons',
    to: ({ id }) => `/product-catalog/addons/${id}`,
    list: (q) => ({ path: '/product-catalog/addons', query: { q } }),
  },
  feature: {
    title: 'Features',
    to: ({ id }) => `/product-catalog/features/${id}`,
    list: (q) => ({ path: '/product-catalog/features', query: { q } }),
  },
  meter: {
    title: 'Meters',
    to: ({ id }) => `/metering/meters/${id}`,
    list: (q) => ({ path: '/metering', query: { q } }),
  },
  event: {
    title: 'Events',
    to: ({ id, source }) => ({ path: '/metering/events', query: { 'id.eq': id, 'source.eq': source } }),
  },
};
