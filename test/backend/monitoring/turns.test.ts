/** Work that grows with data gives way: nobody waits for the end of a billing run. LONG=1 takes as much as the documents say. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { send } from '../../support/answers.ts';
import { createTestBackend, type TestBackend } from '../../support/backend.ts';
import { storeFees } from '../../support/billing/many-charges.ts';
import { createMeteredFeature } from '../../support/catalog/features.ts';
import { createCustomer } from '../../support/customers/customers.ts';
import { sendEvents } from '../../support/metering/events.ts';
import { expectShortTurns, measureTurns } from '../../support/turn-meter.ts';

const [CUSTOMERS, DAYS] = process.env['LONG'] === '1' ? [1500, 'P1Y'] : [100, 'P10D'];

let t: TestBackend;
beforeAll(async () => {
  t = await createTestBackend({ start: '2026-01-01T00:00:00Z' });
});
afterAll(() => t.close());

async function publishPlan(key: string, cards: readonly unknown[]): Promise<string> {
  const phases = [{ key: 'default', name: 'Default', rate_cards: cards }];
  const { id } = await send(
    t,
    'POST',
    '/plans',
    { key, name: key, currency: 'USD', billing_cadence: 'P1M', phases },
    201,
  );
  await send(t, 'POST', `/plans/${id}/publish`, undefined, 200);
  return id;
}

const feeCard = (key: string, cadence: string) => ({
  key,
  name: key,
  billing_cadence: cadence,
  payment_term: 'in_advance',
  price: { type: 'flat', amount: '10' },
});

const usageCard = (key: string, featureId: string) => ({
  key,
  name: key,
  billing_cadence: 'P1M',
  feature: { id: featureId },
  price: { type: 'unit', amount: '0.001' },
});

const subscribe = (customerId: string, planId: string) =>
  send(t, 'POST', '/subscriptions', { customer: { id: customerId }, plan: { id: planId } }, 201);

test('a billing run over many customers', async () => {
  const cards: unknown[] = [feeCard('fee', 'P1M')];
  for (const key of ['calls', 'pages', 'tokens']) cards.push(usageCard(key, (await createMeteredFeature(t, key)).id));
  const planId = await publishPlan('metered', cards);
  for (let index = 0; index < CUSTOMERS; index++) {
    const customer = await createCustomer(t, `c${index}`);
    await subscribe(customer.id, planId);
    await sendEvents(t, 'calls', `c${index}`, '2026-01-10T00:00:00Z', [1]);
  }
  t.clock.set('2026-02-01T02:00:00Z');
  const run = await t.billingRuns.runner.request({ isFull: true, startedBy: 'schedule' });
  const { turns } = await measureTurns(() => t.billingRuns.runner.work());
  expect(await send(t, 'GET', `/billing/runs/${run.id}`, undefined, 200)).toMatchObject({
    stage: 'finished',
    failed: 0,
  });
  expectShortTurns(turns);
});

test('a test clock that catches up with many fees a day', async () => {
  const fees = Array.from({ length: 40 }, (_, index) => feeCard(`fee_${index}`, 'P1D'));
  const planId = await publishPlan('daily', fees);
  const customer = await createCustomer(t, 'clock');
  const path = `/customers/${customer.id}/test-clock`;
  await send(t, 'PUT', path, { now: '2026-01-01T00:00:00Z' }, 200);
  await subscribe(customer.id, planId);
  const { turns } = await measureTurns(() => send(t, 'POST', `${path}/advance`, { by: DAYS }, 200));
  expectShortTurns(turns);
});

test('a preview of many charges', async () => {
  const customer = await createCustomer(t, 'preview');
  await storeFees(t, customer.id, 1500, '2026-03-01T00:00:00Z');
  const path = `/customers/${customer.id}/invoice-preview`;
  const preview = await measureTurns(() => send(t, 'GET', path, undefined, 200));
  expect([preview.result.lines.length, preview.result.totals.total]).toEqual([1500, '1500']);
  expectShortTurns(preview.turns);
});
