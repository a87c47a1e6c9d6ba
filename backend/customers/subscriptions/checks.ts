import { isPriced } from '../../catalog/product-catalog/index.ts';
import { fiatCurrency } from '../../platform/currencies.ts';
import { notFound } from '../../platform/errors.ts';
import type { Scope } from '../../platform/scope.ts';
import type { Customer, Customers } from '../customers/index.ts';
import type { SubscriptionDeps } from './deps.ts';
import {
  customerDeleted,
  invalidBillingSetup,
  invalidField,
  missingReference,
  noCostBasis,
  type OverlappingItem,
  overlappingItems,
} from './errors.ts';
import type { PlanSource } from './plan-source.ts';
import { subscriptionRepository } from './repository.ts';
import type { CreateSubscription } from './schema.ts';
import type { Subscription } from './types.ts';

/** A conflict's answer names this many items; more help nobody. */
const MAX_NAMED_OVERLAPS = 20;

/** @param customers of the same transaction @throws RequestProblem 400, 404, 412 */
export async function findBuyer(customers: Customers, { id, key }: CreateSubscription['customer']): Promise<Customer> {
  if (id === undefined && key === undefined) throw missingReference('customer', ['id', 'key']);
  const customer = id === undefined ? await customerOfKey(customers, key ?? '') : await customers.get(id);
  if (customer.deleted_at !== undefined) throw customerDeleted(customer.id, customer.deleted_at);
  if (key !== undefined && customer.key !== key) throw invalidField('customer', 'id and key name different customers');
  return customer;
}

async function customerOfKey(customers: Customers, key: string): Promise<Customer> {
  const { data } = await customers.list(
    [{ field: 'key', operator: 'eq', values: [key] }],
    { field: 'id', direction: 'asc' },
    { number: 1, size: 1 },
  );
  const [customer] = data;
  if (customer === undefined) throw notFound('customer', key);
  return customer;
}

/**
 * The currency of the customer's invoices. The first subscription that costs anything settles it for good: invoices of
 * one customer can be added up.
 * @throws RequestProblem 400 when the plan's is another one
 */
export async function settleCurrency(customers: Customers, customer: Customer, source: PlanSource): Promise<string> {
  const isFiat = fiatCurrency(source.currency) !== undefined;
  const isPaid = source.phases.some((phase) => phase.rateCards.some(isPriced));
  if (!isFiat) {
    if (customer.currency !== undefined) return customer.currency;
    throw invalidField('customer', `has no currency: ${source.currency} is a custom one that no invoice is written in`);
  }
  if (!isPaid) return source.currency;
  if (customer.currency === undefined) {
    const { id, key: _, created_at: __, updated_at: ___, deleted_at: ____, ...values } = customer;
    await customers.update(id, { ...values, currency: source.currency });
    return source.currency;
  }
  if (customer.currency === source.currency) return source.currency;
  throw invalidField('plan', `has prices in ${source.currency}, the customer pays in ${customer.currency}`);
}

/**
 * What is to be paid by invoice is sold to customers who can get one.
 * @throws DomainProblem 409 that says what the billing profile asks for
 */
export async function refuseUnbillable(
  { billingProblem }: Pick<SubscriptionDeps, 'billingProblem'>,
  scope: Scope,
  { items, settlementMode, customerId }: Subscription,
): Promise<void> {
  const isInvoiced = settlementMode === 'credit_then_invoice' && items.some((item) => isPriced(item.rateCard));
  const why = isInvoiced ? await billingProblem?.(customerId, scope) : undefined;
  if (why !== undefined) throw invalidBillingSetup(why);
}

/**
 * Prices in a custom currency need to be worth something in the currency of the customer's invoices.
 * @throws DomainProblem 409 that names the two currencies
 */
export async function refuseWithoutCostBasis(
  { lookups }: Pick<SubscriptionDeps, 'lookups'>,
  scope: Scope,
  { items, currency, invoiceCurrency }: Subscription,
): Promise<void> {
  const priced = items.filter(({ isRemoved, rateCard }) => !isRemoved && isPriced(rateCard));
  const codes = new Set(priced.map(({ rateCard }) => rateCard.currency ?? currency));
  codes.delete(invoiceCurrency);
  if (codes.size === 0) return;
  for (const [code, { isCustom, costBases }] of await lookups.currencies([...codes], scope)) {
    if (isCustom && !costBases.has(invoiceCurrency)) throw noCostBasis(code, invoiceCurrency);
  }
}

/**
 * A feature is priced and granted in one subscription of a customer at a time.
 * @param withoutIds subscriptions that end where this one begins
 * @throws DomainProblem 409 that names what stands in the way
 */
export async function refuseOverlaps(
  scope: Scope,
  subscription: Subscription,
  withoutIds: readonly string[] = [],
): Promise<void> {
  const own = subscription.items.filter(
    ({ isRemoved, rateCard }) => !isRemoved && (isPriced(rateCard) || rateCard.entitlement !== undefined),
  );
  const { customerId, id, activeFromMs } = subscription;
  const others = await subscriptionRepository(scope).exclusiveItems(customerId, [id, ...withoutIds], activeFromMs);
  const endOf = (toMs: number | undefined) => toMs ?? Number.POSITIVE_INFINITY;
  const overlapping = others.filter((other) =>
    own.some((item) => {
      const isSameThing =
        item.itemKey === other.itemKey || (other.featureId !== null && item.rateCard.featureId === other.featureId);
      return isSameThing && item.fromMs < endOf(other.toMs) && other.fromMs < endOf(item.toMs);
    }),
  );
  const [first, ...rest] = overlapping.slice(0, MAX_NAMED_OVERLAPS) as OverlappingItem[];
  if (first !== undefined) throw overlappingItems([first, ...rest]);
}
