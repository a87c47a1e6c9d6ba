/** Which corrections an invoice can take without asking for less than nothing. Pure. */
import { Decimal, formatDecimal } from '../../../platform/decimal.ts';
import type { Correction } from '../types.ts';

export interface FittedCorrection {
  correction: Correction;
  /** What the invoice takes of it. */
  amount: string;
  /** What stays for the next invoice; "0" for nothing. */
  rest: string;
}

/**
 * What is to be paid more comes first, then what is given back, oldest first, as far as the invoice's total goes.
 * @param total of the invoice's other lines
 */
export function fitCorrections(pending: readonly Correction[], total: string): FittedCorrection[] {
  const isDebit = ({ amount }: Correction) => !new Decimal(amount).lt(0);
  const debits = pending.filter(isDebit);
  let left = Decimal.sum(new Decimal(total), ...debits.map(({ amount }) => amount));
  const fitted = debits.map((correction) => ({ correction, amount: correction.amount, rest: '0' }));
  for (const correction of pending) {
    if (isDebit(correction) || !left.gt(0)) continue;
    const wanted = new Decimal(correction.amount).neg();
    const taken = Decimal.min(wanted, left);
    left = left.sub(taken);
    fitted.push({ correction, amount: formatDecimal(taken.neg()), rest: formatDecimal(taken.sub(wanted)) });
  }
  return fitted;
}
