import type { Totals } from '../../catalog/rating/index.ts';
import type { ControlDb } from '../../platform/db/control-db.ts';
import { Decimal, formatDecimal, sumDecimals } from '../../platform/decimal.ts';
import type { Currency } from '../../platform/money.ts';
import type { InvoicesDeps } from './deps.ts';
import { invoiceProblem } from './errors.ts';

/** The currency of a charge or an invoice, with its digits. @throws DomainProblem 400 when there is none of the code */
export async function currencyOf(deps: InvoicesDeps, code: string, db: ControlDb): Promise<Currency> {
  const currency = await deps.findCurrency(code, db);
  if (currency === undefined) throw invoiceProblem('charge_currency_not_known', code);
  return currency;
}

export const NO_TOTALS: Totals = {
  amount: '0',
  chargesTotal: '0',
  discountsTotal: '0',
  creditsTotal: '0',
  taxesTotal: '0',
  taxesInclusiveTotal: '0',
  taxesExclusiveTotal: '0',
  total: '0',
};

/** Sum of decimal texts. */
export function sumOf(texts: readonly string[]): string {
  return formatDecimal(sumDecimals(texts));
}

/** Difference of decimal texts. */
export function differenceOf(minuend: string, subtrahend: string): string {
  return formatDecimal(new Decimal(minuend).sub(subtrahend));
}

export function isZero(text: string): boolean {
  return new Decimal(text).isZero();
}

export function isNegative(text: string): boolean {
  return new Decimal(text).lt(0);
}
