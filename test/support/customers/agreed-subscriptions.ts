import type { RateCard } from '../../../backend/catalog/plans/index.ts';
import { reconcileItems } from '../../../backend/customers/subscriptions/reconcile-items.ts';
import type { Subscription, SubscriptionPhase } from '../../../backend/customers/subscriptions/types.ts';
import { addDuration, durationFrom } from '../../../backend/platform/period/index.ts';
import type { SubscriptionLinesVector } from '../period-vectors.ts';

/** A rate card with a fee or a price by usage; `amount` undefined makes it free. */
export function rateCard(key: string, fields: Partial<RateCard> & { flat?: string; unit?: string } = {}): RateCard {
  const { flat, unit, ...others } = fields;
  const price =
    flat !== undefined
      ? ({ type: 'flat', amount: flat } as const)
      : unit !== undefined
        ? ({ type: 'unit', amount: unit } as const)
        : ({ type: 'free' } as const);
  return {
    key,
    name: key,
    terms: { price, payment_term: flat === undefined ? 'in_arrears' : 'in_advance' },
    ...others,
  };
}

export function phase(key: string, fields: Partial<SubscriptionPhase> = {}): SubscriptionPhase {
  return {
    id: `phase-${key}`,
    key,
    name: key,
    startAfter: 'PT0S',
    items: [],
    createdAtMs: 0,
    updatedAtMs: 0,
    ...fields,
  };
}

/** A subscription whose items follow from what is agreed. */
export function subscription(
  fields: Partial<Subscription> & Pick<Subscription, 'activeFromMs' | 'phases'>,
): Subscription {
  const base = {
    id: 'subID',
    customerId: 'customer',
    name: 'Plan v1',
    currency: 'USD',
    invoiceCurrency: 'USD',
    billingCadence: 'P1M',
    billingAnchorMs: fields.activeFromMs,
    proRatingEnabled: true,
    settlementMode: 'credit_then_invoice' as const,
    costBasisMode: 'dynamic' as const,
    addons: [],
    createdAtMs: fields.activeFromMs,
    updatedAtMs: fields.activeFromMs,
    ...fields,
  };
  return { ...base, items: fields.items ?? reconcileItems(base, [], countingIds()) };
}

export function countingIds(): () => string {
  let made = 0;
  return () => `item-${made++}`;
}

/** The subscription of a case. */
export function agreedIn(vector: SubscriptionLinesVector): Subscription {
  const startMs = Date.parse(vector.subscription_start);
  const after = (text: string | undefined) => text && addDuration(startMs, durationFrom(text));
  const items = vector.items.map((item) => {
    const [fromMs, toMs] = [after(item.start_after), after(item.end_after)];
    const price = { unit: { unit: '1' }, flat_in_advance: { flat: '1' }, none: {} }[item.price];
    return {
      rateCard: rateCard(item.key, { ...price, ...(item.cadence && { billingCadence: item.cadence }) }),
      ...(fromMs && { fromMs }),
      ...(toMs && { toMs }),
    };
  });
  const phases = [phase('phase-test', { items })];
  if (vector.phase_end) {
    const seconds = (Date.parse(vector.phase_end) - startMs) / 1000;
    // A phase ends where the next begins; whole seconds are all that durations know.
    phases.push(phase('next', { startAfter: `PT${Math.ceil(seconds)}S` }));
  }
  return subscription({
    activeFromMs: startMs,
    ...(vector.subscription_end && { activeToMs: Date.parse(vector.subscription_end) }),
    billingAnchorMs: Date.parse(vector.billing_anchor),
    billingCadence: vector.billing_cadence,
    phases,
  });
}
