/** The sidebar: the areas of the console, in the words of Konnect's documents. */
export const AREAS = [
  { title: 'Home', to: '/', prefixes: [] },
  { title: 'Metering', to: '/metering', prefixes: ['/metering', '/events'] },
  { title: 'Product Catalog', to: '/product-catalog/features', prefixes: ['/product-catalog'] },
  { title: 'Billing', to: '/billing/customers', prefixes: ['/billing'] },
  { title: 'Settings', to: '/settings', prefixes: ['/settings'] },
] as const;

/** Whether a page belongs to an area. */
export function isInArea(path: string, area: (typeof AREAS)[number]): boolean {
  return path === area.to || area.prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}
