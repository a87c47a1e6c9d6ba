import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Json, UNKNOWN_ID } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';
import { card, estimate, flat, pastUsage, refused, unit } from '../../../support/billing/cost-estimates.ts';

let backend: TestBackend;
let customerId: string;
let plan: Json;

const create = async (path: string, body: unknown): Promise<Json> => {
  const answer = await backend.request('POST', path, { body });
  expect(answer, answer.text).toMatchObject({ status: 201 });
  return answer.json;
};

/** A trial for nothing, then 10 a month and 0.01 for each token above 1,000. */
beforeAll(async () => {
  backend = await createTestBackend();
  const made = await pastUsage(backend);
  customerId = made.customerId;
  const meter = { id: made.meterId, filters: { model: { eq: 'large' } } };
  const feature = await create('/features', { key: 'large', name: 'Large', meter });
  const cadence = { billing_cadence: 'P1M' };
  const tokens = (price: unknown, fields: Record<string, unknown> = {}) =>
    card(price, { key: 'large', name: 'Large', feature: { id: feature.id }, ...cadence, ...fields });
  plan = await create('/plans', {
    key: 'pro',
    name: 'Pro',
    currency: 'USD',
    ...cadence,
    phases: [
      { key: 'trial', name: 'Trial', duration: 'P1M', rate_cards: [tokens({ type: 'free' })] },
      {
        key: 'default',
        name: 'Default',
        rate_cards: [
          card(flat('10'), { key: 'base', name: 'Base fee', ...cadence }),
          tokens(unit('0.01'), { discounts: { usage: '1000' } }),
        ],
      },
    ],
  });
});
afterAll(() => backend.close());

const totalOf = async (body: unknown) => (await estimate(backend, body)).totals.map(({ total }: Json) => total);

test('a draft, with quantities by rate card: the last phase unless told', async () => {
  expect(plan.status).toBe('draft');
  expect(await totalOf({ plan: { id: plan.id }, quantities: { large: '1500' } })).toEqual(['15']);
  expect(await totalOf({ plan: { id: plan.id } })).toEqual(['10']);
  expect(await totalOf({ plan: { id: plan.id, phase: 'trial' } })).toEqual(['0']);
  const { lines } = await estimate(backend, { plan: { id: plan.id }, quantities: { large: '1500' } });
  expect(lines.map(({ rate_card, totals }: Json) => [rate_card.key, totals.total])).toEqual([
    ['base', '10'],
    ['large', '5'],
  ]);
});

test('past usage: each billing period of each rate card', async () => {
  const usage = { customer: { id: customerId }, from: '2026-01-01T00:00:00Z', to: '2026-03-01T00:00:00Z' };
  const result = await estimate(backend, { plan: { id: plan.id }, usage });
  expect(
    result.lines.map(({ rate_card, service_period, totals }: Json) => [
      rate_card.key,
      service_period.from.slice(0, 7),
      totals.total,
    ]),
  ).toEqual([
    ['base', '2026-01', '10'],
    ['base', '2026-02', '10'],
    ['large', '2026-01', '5'],
    ['large', '2026-02', '15'],
  ]);
  expect(result.totals).toMatchObject([{ currency: 'USD', total: '40' }]);
});

test('a plan that does not prorate charges the whole fee for a part', async () => {
  const { name, phases } = plan;
  const whole = await create('/plans', {
    key: 'whole',
    name,
    phases,
    currency: 'USD',
    billing_cadence: 'P1M',
    pro_rating_enabled: false,
  });
  const usage = { customer: { id: customerId }, from: '2026-04-01T00:00:00Z', to: '2026-04-16T00:00:00Z' };
  expect(await totalOf({ plan: { id: whole.id }, usage })).toEqual(['10']);
  expect(await totalOf({ plan: { id: plan.id }, usage })).toEqual(['5']);
});

test('a published and an archived version', async () => {
  const version = await create('/plans', {
    key: 'published',
    name: 'n',
    currency: 'JPY',
    billing_cadence: 'P1M',
    phases: [{ key: 'p', name: 'p', rate_cards: [card(flat('500'), { key: 'fee', billing_cadence: 'P1M' })] }],
  });
  for (const step of ['publish', 'archive']) {
    expect((await backend.request('POST', `/plans/${version.id}/${step}`)).status).toBe(200);
    const { totals } = await estimate(backend, { plan: { id: version.id } });
    expect(totals).toMatchObject([{ currency: 'JPY', total: '500' }]);
  }
});

describe('400 names the field', () => {
  const id = () => plan.id;
  test.each([
    ['an unknown plan', () => ({ plan: { id: UNKNOWN_ID } }), 'plan.id'],
    ['a plan key for an id', () => ({ plan: { id: 'pro' } }), 'plan.id'],
    ['an unknown phase', () => ({ plan: { id: id(), phase: 'later' } }), 'plan.phase'],
    ['a key of no rate card', () => ({ plan: { id: id() }, quantities: { small: '1' } }), 'quantities.small'],
    ['a quantity of a fee', () => ({ plan: { id: id() }, quantities: { base: '1' } }), 'quantities.base'],
    ['a negative quantity', () => ({ plan: { id: id() }, quantities: { large: '-1' } }), 'quantities.large'],
    ['a quantity for all', () => ({ plan: { id: id() }, quantity: '1' }), 'quantity'],
    ['a currency', () => ({ plan: { id: id() }, currency: 'USD' }), 'currency'],
    ['a rate card beside the plan', () => ({ plan: { id: id() }, rate_card: card(flat('1')) }), 'plan'],
    ['neither', () => ({}), 'rate_card'],
  ])('%s', async (_name, body, expected) => {
    const [status, fields] = refused(await backend.request('POST', '/cost-estimates', { body: body() }));
    expect(status).toBe(400);
    expect(fields).toContain(expected);
  });

  test('a deleted plan', async () => {
    const { name, phases } = plan;
    const gone = await create('/plans', { key: 'gone', name, phases, currency: 'USD', billing_cadence: 'P1M' });
    await backend.request('DELETE', `/plans/${gone.id}`);
    expect(refused(await backend.request('POST', '/cost-estimates', { body: { plan: { id: gone.id } } }))).toEqual([
      400,
      ['plan.id'],
    ]);
  });
});
