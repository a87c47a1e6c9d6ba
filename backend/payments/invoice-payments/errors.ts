import { codedProblems } from '../../platform/coded-problems.ts';
import { type DomainProblem, validationProblem } from '../../platform/errors.ts';

/** 400 with one of the codes. */
export const paymentProblem = codedProblems({
  invoice_not_payable: { field: undefined, message: 'the invoice does not wait for a payment' },
  payment_not_recorded_here: { field: undefined, message: 'payments of this invoice are not recorded here' },
  payment_amount_not_positive: { field: 'amount', message: 'the amount must be greater than zero' },
  payment_amount_not_payable: { field: 'amount', message: 'the currency has no such small part' },
  payment_exceeds_amount_due: { field: 'amount', message: 'the amount is more than is left to pay' },
  payment_in_the_future: { field: 'paid_at', message: 'a payment cannot be in the future' },
});

/** 409: the same payment was recorded before. */
export function paymentRecordedBefore(reference: string, id: string): DomainProblem {
  return validationProblem('resource-conflict', [
    {
      code: 'payment_recorded_before',
      field: 'reference',
      message: `a payment ${JSON.stringify(reference)} of the invoice is recorded as ${id}`,
      severity: 'critical',
      attributes: { id },
    },
  ]);
}
