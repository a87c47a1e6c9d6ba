import {
  DomainProblem,
  invalidParameter,
  notFound,
  RequestProblem,
  type ValidationError,
  validationProblem,
} from '../../platform/errors.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { SubscriptionStatus } from './types.ts';

/** What can be done to a subscription; not everything in every state. */
export type SubscriptionAction =
  | 'update'
  | 'change_addons'
  | 'cancel'
  | 'continue'
  | 'change'
  | 'migrate'
  | 'restore'
  | 'delete';

export function subscriptionNotFound(id: string): RequestProblem {
  return notFound('subscription', id);
}

export function subscriptionAddonNotFound(id: string): RequestProblem {
  return notFound('subscription add-on', id);
}

/** 403: what is asked for is not to be had in this state. */
export function transitionNotAllowed(action: SubscriptionAction, state: SubscriptionStatus): DomainProblem {
  return new DomainProblem('unauthorized', `transition ${action} in state ${state} not allowed`);
}

/** 403: what has happened stays. */
export function historyIsFixed(detail: string): DomainProblem {
  return new DomainProblem('unauthorized', detail);
}

/** 403: its items follow from its add-ons too. */
export function editWithAddons(): DomainProblem {
  return new DomainProblem(
    'unauthorized',
    'a subscription with add-ons cannot be edited: change the add-ons, or change the plan',
  );
}

/** 409: the change does not fit what is there. */
export function conflict(detail: string): DomainProblem {
  return new DomainProblem('resource-conflict', detail);
}

/** 400: neither of two ways to name something, or both with different answers. */
export function missingReference(field: string, keys: readonly string[]): RequestProblem {
  const reason = `is required: one of ${keys.map((key) => `${field}.${key}`).join(', ')}`;
  return new RequestProblem(
    'bad-request',
    `${field} ${reason}`,
    keys.map((key) => ({ field: `${field}.${key}`, rule: 'required', reason, source: 'body' })),
  );
}

/** 400 that names a field of the body and the rule it breaks. */
export function invalidField(field: string, reason: string): RequestProblem {
  return invalidParameter({ field, rule: 'invalid', reason, source: 'body' });
}

/** 412: nothing can be sold to somebody who is gone. */
export function customerDeleted(id: string, deletedAt: string): RequestProblem {
  return new RequestProblem('precondition-failed', `customer ${id} was deleted at ${deletedAt}`);
}

/** 400: a rule about the resource, with its code. */
export function ruleBroken(code: string, field: string, message: string): DomainProblem {
  return validationProblem('bad-request', [{ code, field, message, severity: 'critical' }]);
}

/** 409: nobody knows what the prices come to in the currency of the invoices. */
export function noCostBasis(code: string, invoiceCurrency: string): DomainProblem {
  return validationProblem('resource-conflict', [
    {
      code: 'currency_cost_basis_not_found',
      field: 'plan',
      message:
        `the plan has prices in ${code}, the customer is billed in ${invoiceCurrency}, and ${code} has no cost basis in ` +
        `${invoiceCurrency} that is in effect`,
      severity: 'critical',
      attributes: { currency: code, fiat_currency: invoiceCurrency },
    },
  ]);
}

/** 409: what costs something would be on no invoice. */
export function invalidBillingSetup(why: string): DomainProblem {
  return validationProblem('resource-conflict', [
    {
      code: 'invalid_billing_setup',
      field: 'customer',
      message: `invalid billing setup: ${why}`,
      severity: 'critical',
    },
  ]);
}

/** An item of another subscription that is in force at the same time. */
export interface OverlappingItem {
  subscriptionId: string;
  subscriptionName: string;
  itemKey: string;
  fromMs: number;
  toMs: number | undefined;
}

/** 409: usage of a feature can be charged, and access to it given, in one place at a time. */
export function overlappingItems(items: readonly [OverlappingItem, ...OverlappingItem[]]): DomainProblem {
  const [first, ...others] = items.map((item): ValidationError => {
    const until = item.toMs === undefined ? 'on' : `to ${formatInstant(item.toMs)}`;
    return {
      code: 'only_single_subscription_item_allowed_at_a_time',
      field: `items.${item.itemKey}`,
      message:
        `for any given feature, only one subscription item with entitlements or billable prices can exist at a time: ` +
        `subscription ${item.subscriptionId} (${item.subscriptionName}) has ${item.itemKey} from ` +
        `${formatInstant(item.fromMs)} ${until}`,
      severity: 'critical',
      attributes: { subscription: { id: item.subscriptionId }, item_key: item.itemKey },
    };
  });
  return validationProblem('resource-conflict', [first as ValidationError, ...others]);
}

/** 412: the customer's subscriptions have to end first. */
export function customerHasSubscriptions(ids: readonly string[]): DomainProblem {
  return validationProblem('precondition-failed', [
    {
      code: 'deleting_customer_with_active_subscriptions',
      message: `cannot delete customer with active subscriptions: ${ids.join(', ')}`,
      severity: 'critical',
      attributes: { subscriptions: ids },
    },
  ]);
}

/** 400: usage would move to or from the customer in the middle of what it pays for. */
export function subjectKeysAreSettled(ids: readonly string[]): DomainProblem {
  return validationProblem('bad-request', [
    {
      code: 'changing_subject_keys_with_active_subscriptions',
      field: 'usage_attribution.subject_keys',
      message: `cannot change the subject keys of a customer with active subscriptions: ${ids.join(', ')}`,
      severity: 'critical',
      attributes: { subscriptions: ids },
    },
  ]);
}

/** 400: invoices of one customer can be added up. */
export function currencyIsSettled(ids: readonly string[]): DomainProblem {
  return validationProblem('bad-request', [
    {
      code: 'changing_currency_with_paid_subscriptions',
      field: 'currency',
      message: `cannot change the currency of a customer that has or had paid subscriptions: ${ids.join(', ')}`,
      severity: 'critical',
      attributes: { subscriptions: ids },
    },
  ]);
}

/** 409: the customer's past would lie in the future, or the other way round. */
export function customerHasPast(ids: readonly string[]): DomainProblem {
  return conflict(`the customer has subscriptions (${ids.join(', ')}) and keeps the time it has`);
}
