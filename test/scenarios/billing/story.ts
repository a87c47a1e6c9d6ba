import { expect, test } from 'vitest';
import { createTestBackend, type TestBackend } from '../../support/backend.ts';
import { dieDuring } from '../../support/process-death.ts';

// biome-ignore lint/suspicious/noExplicitAny: stories look into answers freely; each answer is held against the contract
type Json = any;

/** One customer's story over months, told by API, with a clock that is moved. */
export interface Story {
  /** Another one after `killed`. */
  readonly backend: TestBackend;
  customer: Json;
  ok(method: string, path: string, body?: unknown): Promise<Json>;
  /** Publishes a plan of these cards, or of phases. */
  plan(key: string, cards: readonly Json[], fields?: Json): Promise<Json>;
  /** Publishes an add-on that can be bought any number of times. A plan offers it with `fields.addons`. */
  addon(key: string, cards: readonly Json[]): Promise<Json>;
  subscribe(plan: Json, fields?: Json): Promise<Json>;
  /** Another plan from now on, or from `timing` on. @returns the subscription that follows */
  change(subscription: Json, plan: Json, timing?: string): Promise<Json>;
  buy(subscription: Json, addon: Json, quantity?: number): Promise<Json>;
  setQuantity(subscription: Json, bought: Json, quantity: number): Promise<Json>;
  /** Events of the customer, all at one instant; one for each value. */
  events(time: string, count: number, options?: { type?: string; value?: number; subject?: string }): Promise<void>;
  /** Moves the clock there and bills everybody, as the job does. */
  at(time: string): Promise<void>;
  /** Does something during which the process dies, and goes on with the next one. @returns whether it came to that */
  killed(commits: number, work: () => Promise<unknown>): Promise<boolean>;
  /** All invoices as one line each: "period status total: line; line". */
  bills(): Promise<string[]>;
  preview(query?: string): Promise<Json>;
  /** The preview as a line. */
  previewLine(query?: string): Promise<string>;
  invoices(): Promise<Json[]>;
  close(): Promise<void>;
}

let ids = 0;

export async function openStory(start: string, customerFields: Json = {}): Promise<Story> {
  let backend = await createTestBackend({ start });
  const ok: Story['ok'] = async (method, path, body) => {
    const answer = await backend.request(method, path, body === undefined ? {} : { body });
    expect({ path, problem: answer.status < 300 ? '' : answer.text }).toEqual({ path, problem: '' });
    return answer.json;
  };
  for (const [key, aggregation] of [
    ['calls', 'count'],
    ['tokens', 'sum'],
    ['seats', 'max'],
  ]) {
    const value = aggregation === 'count' ? {} : { value_property: '$.value' };
    const meter = await ok('POST', '/meters', { key, name: key, event_type: key, aggregation, ...value });
    if (aggregation !== 'max')
      features[key as string] = (await ok('POST', '/features', { key, name: key, meter: { id: meter.id } })).id;
  }
  const own = { ...features };
  const customer = await ok('POST', '/customers', { key: 'acme', name: 'ACME Inc.', ...customerFields });
  const invoices = async () => {
    const { data } = await ok('GET', `/billing/invoices?filter[customer_id]=${customer.id}&page[size]=1000`);
    return Promise.all(data.map(({ id }: { id: string }) => ok('GET', `/billing/invoices/${id}`)));
  };
  return {
    get backend() {
      return backend;
    },
    killed: async (commits, work) => {
      const next = await dieDuring(backend, commits, work);
      if (next !== undefined) backend = next;
      return next !== undefined;
    },
    customer,
    ok,
    plan: async (key, cards, fields = {}) => {
      const { addons = [], ...ownFields } = fields;
      const phases = fields.phases ?? [{ key: 'default', name: 'Default', rate_cards: cards }];
      const withFeatures = phases.map((phase: Json) => ({
        ...phase,
        rate_cards: phase.rate_cards.map((card: Json) =>
          own[card.key] ? { ...card, feature: { id: own[card.key] } } : card,
        ),
      }));
      const body = { key, name: key, currency: 'USD', billing_cadence: 'P1M', ...ownFields, phases: withFeatures };
      const draft = await ok('POST', '/plans', body);
      for (const { id } of addons) {
        const offer = { name: 'Offer', addon: { id }, from_plan_phase: phases[0].key };
        await ok('POST', `/plans/${draft.id}/addons`, offer);
      }
      return ok('POST', `/plans/${draft.id}/publish`);
    },
    addon: async (key, cards) => {
      const body = { key, name: key, currency: 'USD', instance_type: 'multiple', rate_cards: cards };
      const draft = await ok('POST', '/addons', body);
      return ok('POST', `/addons/${draft.id}/publish`);
    },
    change: async (subscription, plan, timing = 'immediate') => {
      const body = { customer: { id: customer.id }, plan: { id: plan.id }, timing };
      return (await ok('POST', `/subscriptions/${subscription.id}/change`, body)).next;
    },
    buy: (subscription, { id }, quantity = 1) =>
      ok('POST', `/subscriptions/${subscription.id}/addons`, { addon: { id }, quantity, timing: 'immediate' }),
    setQuantity: (subscription, bought, quantity) =>
      ok('PATCH', `/subscriptions/${subscription.id}/addons/${bought.id}`, { quantity, timing: 'immediate' }),
    subscribe: (plan, fields = {}) =>
      ok('POST', '/subscriptions', { customer: { id: customer.id }, plan: { id: plan.id }, ...fields }),
    events: async (time, count, { type = 'calls', value = 1, subject = 'acme' } = {}) => {
      const batch = Array.from({ length: count }, () => {
        ids += 1;
        return { specversion: '1.0', id: `s${ids}`, source: 'story', type, subject, time, data: { value } };
      });
      if (count > 0) await ok('POST', '/events', batch);
    },
    at: async (time) => {
      backend.clock.set(time);
      await backend.billingRuns.runner.request({ isFull: true, startedBy: 'schedule' });
      expect(await backend.billingRuns.runner.work()).toBe(true);
      const { data } = await ok('GET', '/billing/runs?page[size]=1');
      expect(data[0]).toMatchObject({ stage: 'finished', failed: 0 });
    },
    bills: async () => (await invoices()).map(billLine),
    preview: (query = '') => ok('GET', `/customers/${customer.id}/invoice-preview${query}`),
    previewLine: async (query = '') => billLine(await ok('GET', `/customers/${customer.id}/invoice-preview${query}`)),
    invoices,
    close: () => backend.close(),
  };
}

const features: Record<string, string> = {};

/** A whole invoice in one line, to the cent. */
function billLine(invoice: Json): string {
  const day = (text: string) => text.replace('T00:00:00Z', '').replace(/:00Z$/, 'Z');
  const lines = invoice.lines.map((line: Json) => {
    const details = line.detailed_lines.map((detail: Json) => {
      const off = detail.totals.discounts_total === '0' ? '' : `-${detail.totals.discounts_total}`;
      return `${detail.quantity}×${detail.unit_price}${off}`;
    });
    return `${line.name} ${details.length === 0 ? 'nothing' : details.join('+')}=${line.totals.total}`;
  });
  const { from, to } = invoice.service_period;
  return `${day(from)}..${day(to)} ${invoice.status} ${invoice.totals.total} ${invoice.currency}: ${lines.join('; ')}`;
}

export const fee = (amount: string, fields: Json = {}) => ({
  key: 'fee',
  name: 'Fee',
  billing_cadence: 'P1M',
  payment_term: 'in_advance',
  price: { type: 'flat', amount },
  ...fields,
});

export const usage = (price: Json, fields: Json = {}) => ({
  key: 'calls',
  name: 'Calls',
  billing_cadence: 'P1M',
  price: typeof price === 'string' ? { type: 'unit', amount: price } : price,
  ...fields,
});

/** A story: when it begins, what happens, and all invoices at its end. */
export interface Told {
  title: string;
  start: string;
  customer?: Record<string, unknown>;
  tell(s: Story): Promise<void>;
  bills: string[];
}

/** A test for each story. */
export function tellStories(stories: readonly Told[]): void {
  test.each(stories)('$title', async ({ start, customer, tell, bills }) => {
    const story = await openStory(start, customer);
    try {
      await tell(story);
      expect(await story.bills()).toEqual(bills);
    } finally {
      await story.close();
    }
  });
}
