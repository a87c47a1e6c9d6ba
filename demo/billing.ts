import type { ApiClient } from './api-client.ts';

/** What the demo's Consumers pay: each request, and each token of an LLM call. */
const PRICES = { requests: '0.10', tokens: '0.002' };

const CUSTOMERS = [
  { name: 'Alice', key: 'alice' },
  { name: 'Bob', key: 'bob' },
  { name: 'Kong Air', key: 'kong-air' },
];

/** A customer of the demo, as the API has it. */
export interface DemoCustomer {
  id: string;
  name: string;
}

/** Features on both meters, a published plan with a rate card each, and customers who subscribe to it now. */
export async function startBilling(
  api: ApiClient,
  meters: { requests: string; tokens: string },
): Promise<DemoCustomer[]> {
  const requests = await api.post('/features', {
    key: 'requests',
    name: 'API requests',
    meter: { id: meters.requests },
  });
  const tokens = await api.post('/features', { key: 'tokens', name: 'LLM tokens', meter: { id: meters.tokens } });
  const card = (feature: { id: string; key: string; name: string }, amount: string) => ({
    key: feature.key,
    name: feature.name,
    feature: { id: feature.id },
    billing_cadence: 'P1M',
    price: { type: 'unit', amount },
  });
  const plan = await api.post('/plans', {
    key: 'premium',
    name: 'Premium',
    currency: 'USD',
    billing_cadence: 'P1M',
    phases: [
      {
        key: 'default',
        name: 'Default',
        rate_cards: [card(requests, PRICES.requests), card(tokens, PRICES.tokens)],
      },
    ],
  });
  await api.post(`/plans/${plan.id}/publish`);
  const customers: DemoCustomer[] = [];
  for (const customer of CUSTOMERS) {
    const created = await api.post('/customers', customer);
    await api.post('/subscriptions', { customer: { id: created.id }, plan: { id: plan.id } });
    customers.push(created);
  }
  return customers;
}

/** What each customer would be billed now: a row of name, line and amount for each line. */
export async function previewRows(api: ApiClient, customers: readonly DemoCustomer[]): Promise<string[][]> {
  const rows: string[][] = [];
  for (const { id, name } of customers) {
    const invoice = await api.get(`/customers/${id}/invoice-preview`);
    for (const line of invoice.lines) rows.push([name, line.name, line.totals.total]);
    rows.push([name, 'total', `${invoice.totals.total} ${invoice.currency}`]);
  }
  return rows;
}
