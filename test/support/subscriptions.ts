import type { RateCard } from '../../backend/modules/plans/index.ts';
import { reconcileItems } from '../../backend/modules/subscriptions/reconcile-items.ts';
import type { Subscription, SubscriptionPhase } from '../../backend/modules/subscriptions/types.ts';

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
