import { codedProblems } from '../../platform/coded-problems.ts';
import { DomainProblem, notFound, type RequestProblem } from '../../platform/errors.ts';

/** The codes of this module. All answer 400. */
const CURRENCY_ERRORS = {
  cost_basis_not_in_future: { field: 'effective_from', message: 'must be in the future, or left out for now' },
  cost_basis_empty: { field: 'effective_to', message: 'must be after effective_from' },
} as const;

export function currencyNotFound(id: string): RequestProblem {
  return notFound('currency', id);
}

/** 409: a custom currency has the code. They are never deleted, as amounts stay in them. */
export function currencyCodeTaken(code: string): DomainProblem {
  return new DomainProblem('resource-conflict', `currency with code "${code}" already exists`);
}

/** 409: there are as many custom currencies as there may be. */
export function tooManyCurrencies(limit: number): DomainProblem {
  return new DomainProblem('resource-conflict', `there are ${limit} custom currencies already, which is the limit`);
}

/** 400 for a period in which a cost basis cannot hold. */
export const invalidCostBasis = codedProblems(CURRENCY_ERRORS);
