/** Random plans, billing profiles and lives of a customer, and how they are lived by API. */
import { bodyOf } from '../scenarios/billing/draft-body.ts';
import type { Story } from '../scenarios/billing/story.ts';
import { fc } from '../support/property.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely; each answer is held against the contract
type Json = any;

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const iso = (atMs: number): string => new Date(atMs).toISOString();

const amount = fc.constantFrom('0.01', '0.333', '1', '7.3', '31', '100');
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const price = fc.oneof(
  amount.map((unit): Json => ({ type: 'unit', amount: unit })),
  fc
    .tuple(fc.constantFrom('graduated', 'volume'), amount, amount, optional(amount))
    .map(([type, first, rest, flat]): Json => {
      const tier = (unit: string) => ({ unit_price: { type: 'unit', amount: unit } });
      const flatPrice = flat === undefined ? {} : { flat_price: { type: 'flat', amount: flat } };
      return { type, tiers: [{ ...tier(first), ...flatPrice, up_to_amount: '3' }, tier(rest)] };
    }),
);
const usageCard = fc
  .record({
    key: fc.constantFrom('calls', 'tokens'),
    price,
    minimum: optional(fc.constantFrom('5', '50')),
    maximum: optional(fc.constant('60')),
    percentage: optional(fc.constantFrom(10, 33.3)),
    free: optional(fc.constantFrom('1', '5')),
  })
  .map(({ key, price: own, minimum, maximum, percentage, free }): Json => {
    const discounts = { ...(percentage !== undefined && { percentage }), ...(free !== undefined && { usage: free }) };
    const commitments = {
      ...(minimum !== undefined && { minimum_amount: minimum }),
      ...(maximum !== undefined && { maximum_amount: maximum }),
    };
    return { key, name: key, price: own, discounts, commitments };
  });
const feeCard = fc.record({
  key: fc.constantFrom('fee', 'seat'),
  name: fc.constant('Fee'),
  payment_term: fc.constantFrom('in_advance', 'in_arrears'),
  price: amount.map((flat): Json => ({ type: 'flat', amount: flat })),
});
/** Billing cadences, each with cadences that its cards may have. */
const cadences = fc
  .constantFrom(['P1W', 'P1W', 'P2W'], ['P1M', 'P1M', 'P1M', 'P3M', 'P1Y'], ['P3M', 'P3M', 'P1M'])
  .chain(([billing, ...own]) =>
    fc.record({ billing: fc.constant(billing), card: fc.constantFrom(...own), other: fc.constantFrom(...own) }),
  );
const plan = fc
  .record({
    cadences,
    fees: fc.uniqueArray(feeCard, { maxLength: 2, selector: ({ key }) => key }),
    usages: fc.uniqueArray(usageCard, { maxLength: 2, selector: ({ key }) => key }),
    trial: optional(fc.constantFrom('P10D', 'P1M', 'P45D')),
    isProrated: fc.boolean(),
  })
  .filter(({ fees, usages }) => fees.length + usages.length > 0)
  .map(({ cadences: { billing, card, other }, fees, usages, trial, isProrated }) => {
    const cards = [
      ...fees.map((one) => ({ ...one, billing_cadence: card })),
      ...usages.map((one) => ({ ...one, billing_cadence: other })),
    ];
    const paid = { key: 'paid', name: 'Paid', rate_cards: cards };
    const free = cards.map(({ key }) => ({ key, name: key, billing_cadence: billing, price: { type: 'free' } }));
    const phases =
      trial === undefined ? [paid] : [{ key: 'trial', name: 'Trial', duration: trial, rate_cards: free }, paid];
    return { billing_cadence: billing, pro_rating_enabled: isProrated, phases };
  });

/** Texts of durations that are exact in UTC, and how long they are. */
const INTERVALS: Readonly<Record<string, number>> = { P0D: 0, PT1H: HOUR_MS, P1D: DAY_MS, P10D: 10 * DAY_MS };
const profile = fc.record({
  interval: fc.constantFrom(...Object.keys(INTERVALS)),
  /** Days between anchors; undefined: none. */
  anchored: optional(fc.constantFrom(7, 30)),
  isProgressive: fc.boolean(),
  isAutomatic: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  draftPeriod: fc.constantFrom('P0D', 'P0D', 'P2D', 'P40D'),
  endMode: fc.constantFrom('bill_actual_period', 'bill_full_period'),
  lateUsage: fc.constantFrom('bill', 'bill', 'report'),
  unusedTime: fc.constantFrom('credit', 'credit', 'keep'),
});
type Fc<A> = A extends fc.Arbitrary<infer T> ? T : never;
export type Profile = Fc<typeof profile>;

const timing = fc.oneof(
  fc.constantFrom('immediate', 'next_billing_cycle'),
  fc.integer({ min: 1, max: 900 }).map((hours) => ({ hours })),
);
const which = fc.nat(3);
const kind = <Kind extends string, Fields extends object>(
  name: Kind,
  fields: { [Field in keyof Fields]: fc.Arbitrary<Fields[Field]> },
) => fc.record(fields).map((own) => ({ kind: name, ...own }));
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: kind('usage', {
      type: fc.constantFrom('calls', 'tokens'),
      count: fc.integer({ min: 1, max: 4 }),
      value: fc.constantFrom(1, 2.5, 9.43),
      lateHours: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 900 })),
    }),
  },
  { weight: 1, arbitrary: kind('void', { which }) },
  { weight: 2, arbitrary: kind('subscribe', { plan: which, timing, isAnchored: fc.boolean() }) },
  { weight: 2, arbitrary: kind('change', { which, plan: which, timing }) },
  { weight: 2, arbitrary: kind('cancel', { which, timing }) },
  { weight: 1, arbitrary: kind('resume', { which }) },
  { weight: 1, arbitrary: kind('edit', { which, amount, timing }) },
  {
    weight: 1,
    arbitrary: kind('charge', {
      currency: fc.constantFrom('USD', 'EUR'),
      isMetered: fc.boolean(),
      amount,
      hours: fc.integer({ min: 0, max: 900 }),
    }),
  },
  { weight: 2, arbitrary: kind('invoice-now', {}) },
  { weight: 2, arbitrary: kind('bill', {}) },
  {
    weight: 2,
    arbitrary: kind('draft', {
      which,
      action: fc.constantFrom('approve', 'snapshot-quantities', 'delete', 'retry', 'drop-line', 'set-price'),
    }),
  },
  { weight: 1, arbitrary: kind('issued', { which, action: fc.constantFrom('void', 'mark-uncollectible') }) },
  { weight: 1, arbitrary: kind('profile', { profile }) },
  { weight: 3, arbitrary: kind('compare', {}) },
);
type Step = Fc<typeof step>;

export const lives = fc.record({
  plans: fc.array(plan, { minLength: 1, maxLength: 4 }),
  profile,
  currency: optional(fc.constantFrom('USD')),
  label: fc.constantFrom('', 'failed'),
  steps: fc.array(fc.record({ hours: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 400 })), step }), {
    minLength: 3,
    maxLength: 14,
  }),
});
export type Life = Fc<typeof lives>;

/** A customer as it lives. What the API refuses does not happen. */
export interface Living {
  story: Story;
  plans: Json[];
  profile: Profile;
  events: number[];
}

export async function useRandomProfile(living: Living, wanted: Profile): Promise<void> {
  const { story } = living;
  const app = { id: '01JD0000000000000000000001' };
  const { interval, anchored, isProgressive, isAutomatic, draftPeriod, endMode, lateUsage, unusedTime } = wanted;
  const alignment =
    anchored === undefined
      ? { type: 'subscription' }
      : { type: 'anchored', recurring_period: { anchor: ANCHOR, interval: `P${anchored}D` } };
  const workflow = {
    collection: { alignment, interval },
    invoicing: {
      auto_advance: isAutomatic,
      draft_period: draftPeriod,
      progressive_billing: isProgressive,
      subscription_end_proration_mode: endMode,
    },
  };
  const body = { name: 'P', supplier: { name: 'S' }, workflow, apps: { tax: app, invoicing: app, payment: app } };
  const made = await story.ok('POST', '/profiles', { ...body, default: false });
  const settings = { late_usage: lateUsage, unused_time: unusedTime };
  await story.ok('PUT', `/profiles/${made.id}/adjustment-settings`, settings);
  await story.ok('PUT', `/customers/${story.customer.id}/billing`, { billing_profile: { id: made.id } });
  living.profile = wanted;
}

const ANCHOR = '2025-12-20T06:00:00Z';

/** When what falls due at an instant is put on an invoice. */
export function collectedAt(dueMs: number, { anchored }: Profile): number {
  if (anchored === undefined) return dueMs;
  const every = anchored * DAY_MS;
  const first = Date.parse(ANCHOR);
  return first + Math.ceil((dueMs - first) / every) * every;
}

export const intervalMs = ({ interval }: Profile): number => INTERVALS[interval] ?? 0;

export async function act(living: Living, one: Exclude<Step, { kind: 'compare' }>): Promise<void> {
  const { story } = living;
  const { backend } = story;
  const nowMs = backend.clock.nowMs();
  const customer = { id: story.customer.id };
  const ask = (method: string, path: string, body: unknown = {}) => backend.request(method, path, { body });
  const at = (value: Fc<typeof timing>) => (typeof value === 'string' ? value : iso(nowMs + value.hours * HOUR_MS));
  const pick = <T>(list: readonly T[], index: number): T | undefined => list[index % Math.max(1, list.length)];
  const subscription = async (index: number) => {
    const { data } = await story.ok('GET', `/subscriptions?filter[customer_id]=${customer.id}&page[size]=100`);
    const found = pick(
      data.filter(({ status }: Json) => status !== 'inactive'),
      index,
    ) as Json;
    return found === undefined ? undefined : story.ok('GET', `/subscriptions/${found.id}`);
  };
  const path = async (index: number) => `/subscriptions/${(await subscription(index))?.id ?? '-'}`;
  const invoice = async (index: number, isDraft: boolean) =>
    pick(
      (await story.invoices()).filter(({ status }) => (status === 'draft') === isDraft),
      index,
    );
  switch (one.kind) {
    case 'usage': {
      const atMs = nowMs - one.lateHours * HOUR_MS;
      await story.events(iso(atMs), one.count, { type: one.type, value: one.value });
      living.events.push(atMs);
      return;
    }
    case 'void': {
      const atMs = pick(living.events, one.which);
      if (atMs === undefined) return;
      const filter = { time: { gte: iso(atMs), lt: iso(atMs + 1000) } };
      await ask('POST', '/events/corrections', { action: 'void', reason: 'test traffic', filter });
      return;
    }
    case 'subscribe': {
      const anchor = one.isAnchored ? { billing_anchor: '2026-01-01T00:00:00Z' } : {};
      const body = { customer, plan: { id: pick(living.plans, one.plan).id }, timing: at(one.timing), ...anchor };
      await ask('POST', '/subscriptions', body);
      return;
    }
    case 'change': {
      const body = { customer, plan: { id: pick(living.plans, one.plan).id }, timing: at(one.timing) };
      await ask('POST', `${await path(one.which)}/change`, body);
      return;
    }
    case 'cancel':
      await ask('POST', `${await path(one.which)}/cancel`, { timing: at(one.timing) });
      return;
    case 'resume':
      await ask('POST', `${await path(one.which)}/unschedule-cancelation`);
      return;
    case 'edit': {
      const found = await subscription(one.which);
      const phase = found?.phases.at(-1);
      const item = phase?.items.find(({ rate_card }: Json) => rate_card.price.type === 'flat');
      if (item === undefined) return;
      const price = { type: 'flat', amount: one.amount };
      const customizations = [{ type: 'add_item', phase_key: phase.key, rate_card: { ...item.rate_card, price } }];
      await ask('POST', `/subscriptions/${found.id}/edit`, { customizations, timing: at(one.timing) });
      return;
    }
    case 'charge':
      await ask('POST', `/customers/${customer.id}/charges`, await charge(story, one, nowMs));
      return;
    case 'invoice-now':
      await ask('POST', `/customers/${customer.id}/invoices`);
      return;
    case 'bill':
      await story.at(iso(nowMs));
      return;
    case 'draft': {
      const draft = await invoice(one.which, true);
      if (draft !== undefined) await actOnDraft(story, draft, one.action);
      return;
    }
    case 'issued': {
      const issued = await invoice(one.which, false);
      if (issued !== undefined) await ask('POST', `/billing/invoices/${issued.id}/${one.action}`, undefined);
      return;
    }
    case 'profile':
      await useRandomProfile(living, one.profile);
  }
}

async function charge(
  story: Story,
  { currency, isMetered, amount: own, hours }: Extract<Step, { kind: 'charge' }>,
  nowMs: number,
): Promise<Json> {
  const to = iso(nowMs + hours * HOUR_MS);
  const shared = { name: 'Extra', currency, invoice_at: to, settlement_mode: 'credit_then_invoice' };
  if (!isMetered) {
    const terms = { payment_term: 'in_advance', proration_configuration: { mode: 'no_proration' } };
    const price = { amount_before_proration: { amount: own, currency } };
    return { ...shared, ...terms, ...price, type: 'flat_fee', service_period: { from: to, to } };
  }
  const { data } = await story.ok('GET', '/features');
  const feature_id = data.find(({ key }: Json) => key === 'tokens').id;
  const service_period = { from: iso(nowMs - 10 * DAY_MS), to };
  return { ...shared, type: 'usage_based', service_period, feature_id, price: { type: 'unit', amount: own } };
}

async function actOnDraft(story: Story, draft: Json, action: string): Promise<void> {
  const path = `/billing/invoices/${draft.id}`;
  if (action === 'delete') {
    await story.backend.request('DELETE', path);
  } else if (action === 'drop-line' || action === 'set-price') {
    const body = bodyOf(draft);
    const [first, ...rest] = body.lines;
    if (first === undefined) return;
    const dearer = { ...first.rate_card, price: { type: first.rate_card.feature_key ? 'unit' : 'flat', amount: '3' } };
    const lines = action === 'drop-line' ? rest : [{ ...first, rate_card: dearer }, ...rest];
    await story.backend.request('PUT', path, { body: { ...body, lines } });
  } else {
    await story.backend.request('POST', `${path}/${action}`);
  }
}
