import { codedProblems } from '../../platform/coded-problems.ts';
import { DomainProblem } from '../../platform/errors.ts';

/** 400 with one of the codes of credits. */
export const creditProblem = codedProblems({
  credit_currency_not_known: { field: 'currency', message: 'there is no currency of this code' },
  credit_amount_invalid: { field: 'amount', message: 'the amount must not round to zero in its currency' },
  credit_grant_amount_not_positive: { field: 'amount', message: 'a grant must be of more than zero' },
  credit_grant_purchase_required: { field: 'purchase', message: 'a grant that is paid for needs its purchase' },
  credit_grant_purchase_not_allowed: { field: 'purchase', message: 'a grant without funding has no purchase' },
  credit_grant_purchase_invalid: { field: 'purchase.per_unit_cost_basis', message: 'the purchase comes to nothing' },
  credit_grant_expiry_invalid: { field: 'expires_after', message: 'the grant must expire after it is effective' },
  credit_grant_features_invalid: { field: 'filters.features', message: 'a feature is not known, or named twice' },
  credit_grant_tax_code_not_found: { field: 'tax_config.tax_code.id', message: 'there is no tax code of this id' },
  credit_grant_external_settlement_not_supported: {
    field: undefined,
    message: 'only the payment of an externally funded grant is reported',
  },
  credit_grant_external_settlement_status_invalid: {
    field: 'status',
    message: 'a payment does not go back to what it was',
  },
} as const);

/** 409: the grant that has the key is named, so that a client that tries again finds it. */
export function grantKeyTaken(key: string, grantId: string): DomainProblem {
  return new DomainProblem('resource-conflict', `the key ${JSON.stringify(key)} belongs to credit grant ${grantId}`);
}

/** 409: only what is active and not used up can be voided. */
export function grantNotVoidable(id: string, why: string): DomainProblem {
  return new DomainProblem('resource-conflict', `credit grant ${id} cannot be voided: ${why}`);
}
