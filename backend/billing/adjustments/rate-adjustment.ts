import { type Credit, NO_TOTALS, type Totals } from '../../catalog/rating/index.ts';
import { Decimal, formatDecimal, sumDecimals } from '../../platform/decimal.ts';
import { defined } from '../../platform/defined.ts';
import type { NewId } from '../../platform/ids.ts';
import { toTextPeriod } from '../../platform/period/index.ts';
import type { StoredRating } from '../invoice-records/index.ts';
import type { Adjustment } from './types.ts';

/** What an adjustment's line costs: one detailed line with the difference. */
export function rateAdjustment(adjustment: Adjustment, newId: NewId): StoredRating {
  const totals: Totals = { ...NO_TOTALS, amount: adjustment.amount, total: adjustment.amount };
  const { quantityBefore, quantityAfter } = adjustment;
  const quantity =
    quantityBefore === undefined || quantityAfter === undefined
      ? '1'
      : formatDecimal(new Decimal(quantityAfter).sub(quantityBefore));
  return {
    detailedLines: [
      {
        id: newId(),
        name: adjustment.name,
        childUniqueReferenceId: `correction/${adjustment.reason}`,
        category: 'regular',
        paymentTerm: 'in_arrears',
        quantity: '1',
        unitPrice: adjustment.amount,
        servicePeriod: toTextPeriod(adjustment.period),
        discounts: [],
        creditsApplied: [],
        totals,
        explanation: [{ rule: 'no_line', text: adjustment.description, result: adjustment.amount }],
      },
    ],
    totals,
    rawQuantity: quantity,
    invoicedQuantity: quantity,
    usageDiscount: null,
    explanation: [],
  };
}

/** The line of an adjustment with what credits pay of it. */
export function payAdjustment(rated: StoredRating, credits: readonly Credit[]): StoredRating {
  const paid = sumDecimals(credits.map(({ amount }) => amount));
  const total = formatDecimal(new Decimal(rated.totals.amount).sub(paid));
  const totals: Totals = { ...rated.totals, creditsTotal: formatDecimal(paid), total };
  const creditsApplied = credits.map(({ amount, id, description }) => ({ amount, ...defined({ id, description }) }));
  return { ...rated, totals, detailedLines: rated.detailedLines.map((line) => ({ ...line, creditsApplied, totals })) };
}
