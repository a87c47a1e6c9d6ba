import { NO_TOTALS, type Totals } from '../../catalog/rating/index.ts';
import { Decimal, formatDecimal } from '../../platform/decimal.ts';
import type { NewId } from '../../platform/ids.ts';
import { toTextPeriod } from '../../platform/period/index.ts';
import type { StoredRating } from '../invoice-records/index.ts';
import type { Correction } from './types.ts';

/** What a correction's line costs: one detailed line with the difference. */
export function rateCorrection(correction: Correction, newId: NewId): StoredRating {
  const totals: Totals = { ...NO_TOTALS, amount: correction.amount, total: correction.amount };
  const { quantityBefore, quantityAfter } = correction;
  const quantity =
    quantityBefore === undefined || quantityAfter === undefined
      ? '1'
      : formatDecimal(new Decimal(quantityAfter).sub(quantityBefore));
  return {
    detailedLines: [
      {
        id: newId(),
        name: correction.name,
        childUniqueReferenceId: `correction/${correction.reason}`,
        category: 'regular',
        paymentTerm: 'in_arrears',
        quantity: '1',
        unitPrice: correction.amount,
        servicePeriod: toTextPeriod(correction.period),
        discounts: [],
        creditsApplied: [],
        totals,
        explanation: [{ rule: 'no_line', text: correction.description, result: correction.amount }],
      },
    ],
    totals,
    rawQuantity: quantity,
    invoicedQuantity: quantity,
    usageDiscount: null,
    explanation: [],
  };
}
