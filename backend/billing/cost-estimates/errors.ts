import type { RatingError } from '../../catalog/rating/index.ts';
import { DomainProblem, invalidParameter, type RequestProblem, validationProblem } from '../../platform/errors.ts';

/** 400: a value of the request that is missing or does not fit. @param field dotted path in the request */
export function estimateProblem(
  rule: 'required' | 'invalid' | 'missing_reference',
  field: string,
  reason: string,
): RequestProblem {
  return invalidParameter({ field, rule, reason, source: 'body' });
}

/** 400 with everything that is wrong with the terms of a rate card. @param path of the rate card in the request */
export function unratable(error: RatingError, path: string): DomainProblem {
  const [first, ...more] = error.problems.map(({ rule, field, message }) => ({
    code: rule,
    field: `${path}.${field}`,
    message: `${path}.${field}: ${message}`,
    severity: 'critical' as const,
  }));
  return first === undefined
    ? new DomainProblem('bad-request', error.message)
    : validationProblem('bad-request', [first, ...more]);
}
