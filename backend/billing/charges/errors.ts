import { codedProblems } from '../../platform/coded-problems.ts';
import { DomainProblem, validationProblem } from '../../platform/errors.ts';

/** 400 with one of the codes of charges. */
export const chargeProblem = codedProblems({
  charge_feature_not_found: { field: 'feature_id', message: 'there is no such feature with a meter' },
  charge_currency_not_known: { field: 'currency', message: 'there is no such currency' },
  charge_period_invalid: { field: 'service_period', message: 'the period must not end before it begins' },
} as const);

/** 409: the customer's past would lie in the future, or the other way round. */
export function customerHasCharges(): DomainProblem {
  return new DomainProblem('resource-conflict', 'the customer has charges and keeps the time it has');
}

/** 409: the same idempotency key with another charge. */
export function chargeReferenceTaken(reference: string): DomainProblem {
  return validationProblem('resource-conflict', [
    {
      code: 'charge_unique_reference_taken',
      field: 'unique_reference_id',
      message: `the customer has a charge with the reference ${JSON.stringify(reference)}`,
      severity: 'critical',
    },
  ]);
}
