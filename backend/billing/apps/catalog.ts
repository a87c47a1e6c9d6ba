import type { AppCatalogItem, AppType, Capability } from './schema.ts';

const ITEMS: Readonly<Record<AppType, AppCatalogItem>> = {
  sandbox: {
    type: 'sandbox',
    name: 'Sandbox',
    description: 'Issues invoices and settles them at once, without sending anything to anybody.',
    capabilities: [
      capability(
        'sandbox',
        'calculate_tax',
        'Calculate tax',
        'Computes no tax: where taxes are enforced, nothing is issued.',
      ),
      capability('sandbox', 'invoice_customers', 'Invoice customers', 'Numbers and issues invoices.'),
      capability('sandbox', 'collect_payments', 'Collect payments', 'Marks invoices as paid, or as their labels ask.'),
    ],
    install_methods: ['no_credentials_required'],
  },
  external_invoicing: {
    type: 'external_invoicing',
    name: 'External invoicing',
    description: 'Hands invoices to a system of your own, which reports what became of them.',
    capabilities: [
      capability(
        'external_invoicing',
        'calculate_tax',
        'Calculate tax',
        'The external system computes taxes, of customers with a country.',
      ),
      capability('external_invoicing', 'invoice_customers', 'Invoice customers', 'The external system sends invoices.'),
      capability('external_invoicing', 'collect_payments', 'Collect payments', 'The external system reports payments.'),
    ],
    install_methods: ['no_credentials_required'],
  },
  stripe: {
    type: 'stripe',
    name: 'Stripe',
    description: 'Invoices stand in Stripe as well, which computes taxes, sends them and collects.',
    capabilities: [
      capability('stripe', 'calculate_tax', 'Calculate tax', 'Stripe Tax computes the taxes of invoices.'),
      capability(
        'stripe',
        'invoice_customers',
        'Invoice customers',
        'Stripe numbers and issues invoices, and sends them.',
      ),
      capability(
        'stripe',
        'collect_payments',
        'Collect payments',
        "Stripe charges the customer's payment method, or waits for a transfer.",
      ),
    ],
    install_methods: ['with_api_key'],
  },
};

function capability(app: string, type: Capability['type'], name: string, description: string): Capability {
  return { type, key: `${app}_${type}`, name, description };
}

/** The catalog's entry of a type. */
export function catalogItem(type: AppType): AppCatalogItem {
  return ITEMS[type];
}

export const CATALOG: readonly AppCatalogItem[] = Object.values(ITEMS);
