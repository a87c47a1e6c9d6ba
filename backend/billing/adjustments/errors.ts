import { codedProblems } from '../../platform/coded-problems.ts';
import { DomainProblem } from '../../platform/errors.ts';

/** 400 with one of the codes of adjustments. */
export const adjustmentProblem = codedProblems({
  correction_is_no_credit: { field: 'how', message: 'only what the customer has to get back can be paid out' },
} as const);

/** 409: what is on an invoice, or settled already, cannot be settled otherwise. */
export function adjustmentSettled(id: string, state: string): DomainProblem {
  return new DomainProblem('resource-conflict', `billing correction ${id} waits for no invoice: it is ${state}`);
}
