/** What is paid of an invoice, and what is left. Pure. */
import type { Invoice } from '../../billing/invoice-records/index.ts';
import { Decimal, formatDecimal, sumDecimals, ZERO } from '../../platform/decimal.ts';

export interface Amounts {
  total: string;
  paid: string;
  due: string;
  overpaid: string;
}

/** Nobody is to pay these any more. */
const CLOSED: ReadonlySet<string> = new Set(['paid', 'voided', 'uncollectible', 'deleted']);

/** @param succeeded amounts of payments that have succeeded */
export function amountsOf({ totals, status }: Invoice, succeeded: readonly string[]): Amounts {
  const paid = sumDecimals(succeeded);
  const left = new Decimal(totals.total).sub(paid);
  return {
    total: totals.total,
    paid: formatDecimal(paid),
    due: formatDecimal(CLOSED.has(status) ? ZERO : Decimal.max(left, ZERO)),
    overpaid: formatDecimal(Decimal.max(left.neg(), ZERO)),
  };
}
