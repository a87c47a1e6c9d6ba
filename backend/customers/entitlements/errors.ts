import { DomainProblem, invalidParameter, notFound, type RequestProblem } from '../../platform/errors.ts';

export function entitlementNotFound(id: string): RequestProblem {
  return notFound('entitlement', id);
}

export function grantNotFound(id: string): RequestProblem {
  return notFound('grant', id);
}

/** 409: the feature has an entitlement of the customer's at some of the time. */
export function entitlementConflict(featureKey: string, conflictingEntityId: string): DomainProblem {
  return new DomainProblem(
    'resource-conflict',
    `the customer has an entitlement to feature "${featureKey}" already: ${conflictingEntityId}`,
    { conflictingEntityId },
  );
}

/** 409, or 412 where the contract says so: nothing can be granted to a deleted customer. */
export function customerDeleted(id: string, kind: 'resource-conflict' | 'precondition-failed'): DomainProblem {
  return new DomainProblem(kind, `customer ${id} was deleted`);
}

/** 403: it comes from a rate card. */
export function managedBySubscription(id: string, subscriptionId: string): DomainProblem {
  return new DomainProblem(
    'unauthorized',
    `entitlement ${id} comes from subscription ${subscriptionId}: change the subscription instead`,
    { subscription: { id: subscriptionId } },
  );
}

/** 400 that names the field of the body. */
export function invalidBody(field: string, reason: string): RequestProblem {
  return invalidParameter({ field, rule: 'invalid', reason, source: 'body' });
}

/** 400 that names the parameter of the query. */
export function invalidQuery(field: string, reason: string): RequestProblem {
  return invalidParameter({ field, rule: 'invalid', reason, source: 'query' });
}

/** 400: only usage can be reset, granted and shown over time. */
export function notMetered(id: string, type: string): RequestProblem {
  return invalidParameter({
    field: 'entitlementId',
    rule: 'invalid',
    reason: `entitlement ${id} is ${type}; only a metered one has usage`,
    source: 'path',
  });
}
