import { answerOf, type Client } from '../sdk/index.ts';

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
export async function startBilling(api: Client, meters: { requests: string; tokens: string }): Promise<DemoCustomer[]> {
  const feature = (key: string, name: string, meterId: string) =>
    answerOf(api.POST('/v3/openmeter/features', { body: { key, name, meter: { id: meterId } } }));
  const requests = await feature('requests', 'API requests', meters.requests);
  const tokens = await feature('tokens', 'LLM tokens', meters.tokens);
  const card = (feature: { id: string; key: string; name: string }, amount: string) => ({
    key: feature.key,
    name: feature.name,
    feature: { id: feature.id },
    billing_cadence: 'P1M',
    price: { type: 'unit' as const, amount },
  });
  const plan = await answerOf(
    api.POST('/v3/openmeter/plans', {
      body: {
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
      },
    }),
  );
  await answerOf(api.POST('/v3/openmeter/plans/{planId}/publish', { params: { path: { planId: plan.id } } }));
  const customers: DemoCustomer[] = [];
  for (const body of CUSTOMERS) {
    const customer = await answerOf(api.POST('/v3/openmeter/customers', { body }));
    await answerOf(
      api.POST('/v3/openmeter/subscriptions', { body: { customer: { id: customer.id }, plan: { id: plan.id } } }),
    );
    customers.push(customer);
  }
  return customers;
}

/** What each customer would be billed now: a row of name, line and amount for each line. */
export async function previewRows(api: Client, customers: readonly DemoCustomer[]): Promise<string[][]> {
  const rows: string[][] = [];
  for (const { id, name } of customers) {
    const invoice = await answerOf(
      api.GET('/v3/openmeter/customers/{customerId}/invoice-preview', { params: { path: { customerId: id } } }),
    );
    for (const line of invoice.lines ?? []) rows.push([name, line.name, line.totals.total]);
    rows.push([name, 'total', `${invoice.totals.total} ${invoice.currency}`]);
  }
  return rows;
}
