/** Which adjustments an invoice can take without asking for less than nothing. Nothing is read or stored. */
import { Decimal, formatDecimal } from '../../platform/decimal.ts';
import { isZero } from '../../platform/decimal-texts.ts';
import type { NewId } from '../../platform/ids.ts';
import { forEachInSlices } from '../../platform/in-slices.ts';
import type { Adjustment } from './types.ts';

export interface FittedAdjustment {
  adjustment: Adjustment;
  /** What the invoice takes of it. */
  amount: string;
  /** What stays for the next invoice; "0" for nothing. */
  rest: string;
}

/**
 * What is to be paid more comes first, then what is given back, oldest first, as far as the invoice's total goes.
 * @param total of the invoice's other lines
 */
export async function fitAdjustments(pending: readonly Adjustment[], total: string): Promise<FittedAdjustment[]> {
  const fitted: FittedAdjustment[] = [];
  const credits: { adjustment: Adjustment; wanted: Decimal }[] = [];
  let left = new Decimal(total);
  await forEachInSlices(pending, (adjustment) => {
    const amount = new Decimal(adjustment.amount);
    if (amount.lt(0)) {
      credits.push({ adjustment, wanted: amount.neg() });
      return;
    }
    left = left.add(amount);
    fitted.push({ adjustment, amount: adjustment.amount, rest: '0' });
  });
  await forEachInSlices(credits, ({ adjustment, wanted }) => {
    if (!left.gt(0)) return;
    const taken = Decimal.min(wanted, left);
    left = left.sub(taken);
    fitted.push({ adjustment, amount: formatDecimal(taken.neg()), rest: formatDecimal(taken.sub(wanted)) });
  });
  return fitted;
}

/** Whether an invoice of adjustments alone would ask for something. */
export function isOwed(pending: readonly Adjustment[]): boolean {
  return Decimal.sum(0, ...pending.map(({ amount }) => amount)).gt(0);
}

/** When something is left over, and what names it. */
export interface CarryContext {
  nowMs: number;
  newId: NewId;
}

/** What of adjustments waits for an invoice after one has taken what was fitted, in order. */
export function leftOf(
  known: readonly Adjustment[],
  fitted: readonly FittedAdjustment[],
  context: CarryContext,
): Adjustment[] {
  const byId = new Map(fitted.map((one) => [one.adjustment.id, one]));
  const untaken = known.filter(({ id }) => !byId.has(id)).map(released);
  const rests = fitted.flatMap(({ adjustment, rest }) =>
    isZero(rest) ? [] : [carriedOver(adjustment, rest, context)],
  );
  return [...untaken, ...rests];
}

/** An adjustment that waits for an invoice again. */
export function released({ lineId: _, ...adjustment }: Adjustment): Adjustment {
  return { ...adjustment, state: 'pending' };
}

/** What is left of an adjustment for the next invoice. */
export function carriedOver(adjustment: Adjustment, rest: string, { nowMs, newId }: CarryContext): Adjustment {
  const already = 'What was left of: ';
  const { description } = adjustment;
  return {
    ...released(adjustment),
    id: newId(),
    originId: adjustment.originId ?? adjustment.id,
    reason: 'carried_over',
    description: description.startsWith(already) ? description : `${already}${description}`,
    amount: rest,
    createdAtMs: nowMs,
  };
}
