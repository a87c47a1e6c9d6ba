import { codedProblems } from '../../platform/coded-problems.ts';
import { DomainProblem, notFound, type RequestProblem } from '../../platform/errors.ts';

const TAX_ERRORS = {
  tax_rate_limit: { field: undefined, message: 'there are as many tax rates as there may be' },
  tax_code_not_found: { field: 'tax_code.id', message: 'there is no such tax code' },
} as const;

/** 400 with one of the codes. */
export const taxProblem = codedProblems(TAX_ERRORS);

export function taxRateNotFound(id: string): RequestProblem {
  return notFound('tax rate', id);
}

/** 409: two rates for the same could not be told apart. */
export function taxRateTaken(id: string): DomainProblem {
  return new DomainProblem(
    'resource-conflict',
    `tax rate ${id} is for the same country, kind of customer and tax code`,
  );
}
