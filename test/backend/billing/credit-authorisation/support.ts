import { createTestBackend, type TestBackend } from '../../../support/backend.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely; each is held against the contract
type Json = any;

const START = '2026-03-01T00:00:00Z';

/** A backend with plans whose features stop without credit. */
export interface CreditUnderTest {
  backend: TestBackend;
  ok(method: string, path: string, body?: unknown): Promise<Json>;
  /** A feature that counts events of a type of its own name, with a price. */
  feature(key: string, price: object, more?: { stops?: boolean; card?: object }): Promise<string>;
  /** Publishes a plan of all features that were made since the last one. @returns its id */
  plan(): Promise<string>;
  customer(
    key: string,
    planId: string,
    grants?: readonly (readonly [amount: string, fields?: object])[],
  ): Promise<string>;
  grant(customerId: string, amount: string, fields?: object): Promise<string>;
  use(subject: string, type: string, count?: number): Promise<void>;
  /** Of one customer and feature. */
  balance(key: string, feature: string): Promise<Json>;
  lease(
    node: string,
    feature: string,
    row: { key: string; turn: number; outstanding: string; wanted: string },
  ): Promise<Json>;
}

export async function startCredit(): Promise<CreditUnderTest> {
  const backend = await createTestBackend({ start: START });
  let next = 0;
  let cards: object[] = [];
  const ok: CreditUnderTest['ok'] = async (method, path, body) => {
    const { status, json, text } = await backend.request(method, path, { body });
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
    return json;
  };
  const grant: CreditUnderTest['grant'] = async (customerId, amount, fields = {}) =>
    (
      await ok('POST', `/customers/${customerId}/credits/grants`, {
        name: amount,
        funding_method: 'none',
        currency: 'USD',
        amount,
        ...fields,
      })
    ).id;
  return {
    backend,
    ok,
    grant,
    feature: async (key, price, { stops = true, card = {} } = {}) => {
      const meter = await ok('POST', '/meters', { key, name: key, event_type: key, aggregation: 'count' });
      const { id } = await ok('POST', '/features', { key, name: key, meter: { id: meter.id } });
      if (stops) await ok('PUT', `/features/${id}/credit-stop`, { stops_without_credit: true });
      const entitlement = { type: 'boolean' };
      cards.push({ key, name: key, feature: { id }, billing_cadence: 'P1M', price, entitlement, ...card });
      return id;
    },
    plan: async () => {
      next += 1;
      const phases = [{ key: 'all', name: 'All', rate_cards: cards }];
      cards = [];
      const body = { key: `plan_${next}`, name: 'Plan', currency: 'USD', billing_cadence: 'P1M', phases };
      const { id } = await ok('POST', '/plans', body);
      await ok('POST', `/plans/${id}/publish`);
      return id;
    },
    customer: async (key, planId, grants = []) => {
      const { id } = await ok('POST', '/customers', { key, name: key, currency: 'USD' });
      await ok('POST', '/subscriptions', { customer: { id }, plan: { id: planId } });
      for (const [amount, fields] of grants) await grant(id, amount, fields);
      return id;
    },
    use: async (subject, type, count = 1) => {
      const time = new Date(backend.clock.nowMs()).toISOString();
      const events = Array.from({ length: count }, () => ({
        specversion: '1.0',
        id: `event-${++next}`,
        source: 'test',
        type,
        subject,
        time,
        data: {},
      }));
      const headers = { 'Content-Type': 'application/cloudevents-batch+json' };
      const { status } = await backend.request('POST', '/events', { rawBody: JSON.stringify(events), headers });
      if (status !== 202) throw new Error(`events were answered ${status}`);
    },
    balance: async (key, feature) => {
      const body = { include_credits: true, customer: { keys: [key] }, feature: { keys: [feature] } };
      return (await ok('POST', '/entitlement-access/balances', body)).data[0].features[feature];
    },
    lease: async (node, feature, row) => {
      const body = { node, feature: { key: feature }, customers: [row] };
      return (await ok('POST', '/entitlement-access/leases', body)).data[0].features[feature];
    },
  };
}
