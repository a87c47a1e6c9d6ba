import { DomainProblem, invalidParameter, notFound, RequestProblem } from '../../platform/errors.ts';
import { formatInstant } from '../../platform/instant.ts';

export function testClockNotFound(customerId: string): RequestProblem {
  return notFound('test clock of customer', customerId);
}

/** 400: time does not run backwards. @param field of the request */
export function backwards(field: string, nowMs: number): RequestProblem {
  const reason = `must not be before the customer's now, ${formatInstant(nowMs)}: a test clock moves forward only`;
  return invalidParameter({ field, rule: 'invalid', reason, source: 'body' });
}

/** 400: further than one call may move. */
export function tooFar(field: string, maxDays: number): RequestProblem {
  const reason = `must not be more than ${maxDays} days after the customer's now: move in several steps`;
  return invalidParameter({ field, rule: 'invalid', reason, source: 'body' });
}

/** 400: an instant that dates of four-digit years cannot say. */
export function outOfCalendar(field: string): RequestProblem {
  return invalidParameter({ field, rule: 'invalid', reason: 'must be between 1970 and 2200', source: 'body' });
}

/** 409: somebody else moved the clock meanwhile. */
export function movedMeanwhile(customerId: string): DomainProblem {
  return new DomainProblem(
    'resource-conflict',
    `the test clock of customer ${customerId} was moved by another request`,
  );
}

/** 409: no more test clocks. */
export function tooManyTestClocks(max: number): DomainProblem {
  return new DomainProblem('resource-conflict', `there are ${max} test clocks already: delete those no longer needed`);
}

export function customerWasDeleted(customerId: string): RequestProblem {
  return new RequestProblem('gone', `customer ${customerId} was deleted`);
}
