import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Json } from '../../support/answers.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../support/backend.ts';
import { createCatalog } from '../../support/catalog/features.ts';
import { callsOf, phase, usageCard } from '../../support/catalog/plans.ts';

let backend: TestBackend;
let made: Record<'customer' | 'plan' | 'addon' | 'feature' | 'meter' | 'subscription' | 'invoice', Json>;
beforeAll(async () => {
  backend = await createTestBackend({ start: '2026-11-21T12:00:00Z' });
  const calls = callsOf(backend);
  const catalog = await createCatalog(backend);
  const meters = await calls.ok('GET', '/meters');
  const fee = { name: 'Fee', key: 'fee', billing_cadence: 'P1M', price: { type: 'flat', amount: '5' } };
  const cards = [{ ...fee, payment_term: 'in_advance' }, usageCard(catalog)];
  const plan = await calls.publishPlan('gold_rush', { name: 'Gold 100% rush', phases: [phase(cards)] });
  const addon = await calls.publishAddon('gold_seat');
  const customer = await calls.ok('POST', '/customers', {
    key: 'müller-gmbh',
    name: 'Müller & Söhne',
    primary_email: 'office@mueller.example',
    usage_attribution: { subject_keys: ['team-red', 'team-blue'] },
  });
  const subscription = await calls.ok('POST', '/subscriptions', {
    customer: { id: customer.id },
    plan: { id: plan.id },
  });
  const event = { id: 'req-0815', source: 'kong', type: 'requests', subject: 'team-red', specversion: '1.0' };
  await backend.request('POST', '/events', { body: { ...event, time: '2026-11-21T12:00:00Z' } });
  await backend.billingRuns.runner.request({ isFull: true, startedBy: 'schedule' });
  await backend.billingRuns.runner.work();
  const { data } = await calls.ok('GET', '/billing/invoices');
  const [invoice] = data;
  made = { customer, plan, addon, feature: catalog.requests, meter: meters.data[0], subscription, invoice };
});
afterAll(() => backend.close());

const search = async (q: string, more = '') => {
  const { status, json } = await backend.request('GET', `/search?q=${encodeURIComponent(q)}${more}`);
  expect(status).toBe(200);
  return json.data as Json[];
};
/** "kind name" of what is found. */
const found = async (q: string) =>
  (await search(q)).flatMap(({ kind, items }) => items.map(({ name }: Json) => `${kind} ${name}`));

describe('a search', () => {
  test.each(['customer', 'plan', 'addon', 'feature', 'meter', 'subscription', 'invoice'] as const)(
    'finds a %s by its id, and nothing else',
    async (kind) => {
      const data = await search(made[kind].id);
      expect(data).toMatchObject([{ kind, items: [{ id: made[kind].id }], has_more: false }]);
    },
  );

  test('finds by a part of the name or key, whatever its case, and by e-mail, subject and number', async () => {
    const owner = `customer ${made.customer.name}`;
    for (const q of ['LLER & S', 'ller-GMBH', 'mueller.example', 'team-blue']) expect(await found(q)).toEqual([owner]);
    expect(await found('gold')).toEqual(['plan Gold 100% rush', 'addon gold_seat']);
    expect(await found('requests')).toEqual(['feature requests', 'meter requests']);
    expect(await found(made.invoice.number.slice(-6))).toEqual([`invoice ${made.invoice.number}`]);
    // Not a part of a subject, nor of an id: they would be everywhere.
    expect(await found('team-')).toEqual([]);
    expect(await found(made.customer.id.slice(0, 10))).toEqual([]);
  });

  test('says whose a subscription or an invoice is, and what an event is', async () => {
    const customer = { id: made.customer.id, name: made.customer.name };
    expect((await search(made.subscription.id))[0].items).toEqual([
      { id: made.subscription.id, name: 'gold_rush v1', customer },
    ]);
    expect((await search(made.invoice.id))[0].items).toMatchObject([{ customer }]);
    expect((await search(made.plan.id))[0].items).toEqual([
      { id: made.plan.id, name: 'Gold 100% rush', key: 'gold_rush', version: 1 },
    ]);
    expect(await search('req-0815')).toEqual([
      {
        kind: 'event',
        items: [{ id: 'req-0815', name: 'team-red', source: 'kong', time: '2026-11-21T12:00:00Z' }],
        has_more: false,
      },
    ]);
  });

  test('takes signs as they are', async () => {
    expect(await found('100%')).toEqual(['plan Gold 100% rush']);
    for (const q of ['%', '_', "'", '"', '\\', '?']) expect(await found(`${q}${q}`)).toEqual([]);
    expect(await found('  gold_rush  ')).toEqual(['plan Gold 100% rush']);
  });

  test('puts what has the whole text first, and tells that there is more', async () => {
    for (const key of ['zeta_one', 'zeta', 'alpha_zeta']) {
      await backend.request('POST', '/customers', { body: { key, name: `The ${key}` } });
    }
    const [{ items, has_more }] = await search('zeta', '&limit=2');
    expect([items.map(({ key }: Json) => key), has_more]).toEqual([['zeta', 'alpha_zeta'], true]);
  });

  test('does not find what was deleted', async () => {
    const { json } = await backend.request('POST', '/customers', { body: { key: 'leaver', name: 'Leaver' } });
    expect(await found('leaver')).toEqual(['customer Leaver']);
    await backend.request('DELETE', `/customers/${json.id}`);
    expect([await found('leaver'), await found(json.id)]).toEqual([[], []]);
  });

  test('refuses nothing to look for, too much, unknown parameters, and who may not read', async () => {
    const fieldOf = async (query: string) => {
      const { status, json } = await backend.request('GET', `/search${query}`);
      return [status, json.invalid_parameters?.[0]?.field];
    };
    expect(await fieldOf('')).toEqual([400, 'q']);
    expect(await fieldOf('?q=%20')).toEqual([400, 'q']);
    expect(await fieldOf(`?q=${'x'.repeat(257)}`)).toEqual([400, 'q']);
    expect(await fieldOf('?q=x&limit=0')).toEqual([400, 'limit']);
    expect(await fieldOf('?q=x&kind=plan')).toEqual([400, 'kind']);
    expect((await backend.request('GET', '/search?q=x', { token: TOKENS.ingest })).status).toBe(403);
  });
});
