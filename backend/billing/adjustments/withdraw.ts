/** Credits that were given for what turns out not to be paid. */

import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { Decimal, formatDecimal } from '../../platform/decimal.ts';
import { adjustmentRepository } from './repository.ts';
import type { Adjustment } from './types.ts';

/** Whether it still is a part of what a charge comes to. */
export function isInForce({ state }: Adjustment): boolean {
  return state !== 'withdrawn';
}

/**
 * Takes credits back that wait for an invoice, the newest first.
 * @param amount positive @returns what is left: it is on invoices already, or was paid out
 */
export async function withdrawCredits(
  scope: CustomerScope,
  adjustments: readonly Adjustment[],
  amount: Decimal,
): Promise<Decimal> {
  let left = amount;
  const waiting = adjustments.filter((one) => one.state === 'pending' && new Decimal(one.amount).lt(0));
  for (const credit of waiting.toReversed()) {
    if (left.isZero()) break;
    const taken = Decimal.min(left, new Decimal(credit.amount).neg());
    left = left.sub(taken);
    const rest = new Decimal(credit.amount).add(taken);
    const changed = rest.isZero()
      ? { ...credit, state: 'withdrawn' as const }
      : { ...credit, amount: formatDecimal(rest) };
    await adjustmentRepository(scope).store([changed]);
  }
  return left;
}
