import { afterAll, beforeAll, expect, test } from 'vitest';
import { rateCardSchema, toRateCard } from '../../backend/catalog/product-catalog/index.ts';
import { rate } from '../../backend/catalog/rating/index.ts';
import { fiatCurrency } from '../../backend/platform/currencies.ts';
import type { Json } from '../support/answers.ts';
import { createTestBackend, type TestBackend } from '../support/backend.ts';
import { callsOf, phase } from '../support/catalog/plans.ts';
import { priceAgentRuns, priceApiRequests, priceLlmTokens } from './support/tutorial-catalog.ts';

/**
 * The product catalogs of the tutorials for Metering & Billing, by API, with the values that they give. The one on
 * tracking requests by consumer has none.
 */
let backend: TestBackend;
let calls: ReturnType<typeof callsOf>;
beforeAll(async () => {
  backend = await createTestBackend();
  calls = callsOf(backend);
});
afterAll(() => backend.close());

/** The draft, then the plan as published. */
async function publish(body: Json): Promise<Json> {
  const draft = await calls.ok('POST', '/plans', { currency: 'USD', billing_cadence: 'P1M', ...body });
  expect(draft).toMatchObject({ status: 'draft', version: 1 });
  expect(draft).not.toHaveProperty('validation_errors');
  return calls.ok('POST', `/plans/${draft.id}/publish`);
}

/** What a quantity costs under the first card of a plan, as the API gives it: the rating engine and the calculator agree. */
async function total(plan: Json, quantity: string): Promise<string> {
  const card = toRateCard(rateCardSchema.parse(plan.phases[0].rate_cards[0]));
  const currency = fiatCurrency(plan.currency) ?? { code: 'missing', digits: 0 };
  const rated = rate({ name: card.name, currency, terms: card.terms, quantity });
  const { status, json } = await calls.call('POST', '/cost-estimates', {
    plan: { id: plan.id },
    quantities: { [card.key]: quantity },
  });
  expect([status, json.totals]).toMatchObject([200, [{ currency: 'USD', total: rated.totals.total }]]);
  return rated.totals.total;
}

test('API requests: a dollar for each 5,000', async () => {
  const { card } = await priceApiRequests(calls.ok);
  const plan = await publish({ key: 'premium', name: 'Premium', phases: [phase([card])] });
  expect(plan.status).toBe('active');
  expect([await total(plan, '0'), await total(plan, '6'), await total(plan, '5000')]).toEqual(['0', '1', '1']);
  expect([await total(plan, '5001'), await total(plan, '1000000')]).toEqual(['2', '200']);
});

test('LLM tokens: $0.00002 each, with access', async () => {
  const { card } = await priceLlmTokens(calls.ok, { provider: { eq: 'OpenAI' } });
  const plan = await publish({ key: 'token', name: 'Token', phases: [phase([card])] });
  expect(plan.phases[0].rate_cards[0].entitlement).toEqual({ type: 'boolean' });
  // The price of a unit is never rounded, the product is: $0.00498 to nothing, $0.005 to a cent.
  expect([await total(plan, '249'), await total(plan, '250'), await total(plan, '1000000')]).toEqual([
    '0',
    '0.01',
    '20',
  ]);
});

test('agent runs: a dollar each, with access', async () => {
  const { card } = await priceAgentRuns(calls.ok);
  const plan = await publish({ key: 'premium_plan', name: 'Premium Plan', phases: [phase([card])] });
  expect(await total(plan, '3')).toBe('3');
});
