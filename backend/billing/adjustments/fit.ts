/** Which corrections an invoice can take without asking for less than nothing. Nothing is read or stored. */
import { Decimal, formatDecimal } from '../../platform/decimal.ts';
import { isZero } from '../../platform/decimal-texts.ts';
import type { NewId } from '../../platform/ids.ts';
import { forEachInSlices } from '../../platform/in-slices.ts';
import type { Correction } from './types.ts';

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
export async function fitCorrections(pending: readonly Correction[], total: string): Promise<FittedCorrection[]> {
  const fitted: FittedCorrection[] = [];
  const credits: { correction: Correction; wanted: Decimal }[] = [];
  let left = new Decimal(total);
  await forEachInSlices(pending, (correction) => {
    const amount = new Decimal(correction.amount);
    if (amount.lt(0)) {
      credits.push({ correction, wanted: amount.neg() });
      return;
    }
    left = left.add(amount);
    fitted.push({ correction, amount: correction.amount, rest: '0' });
  });
  await forEachInSlices(credits, ({ correction, wanted }) => {
    if (!left.gt(0)) return;
    const taken = Decimal.min(wanted, left);
    left = left.sub(taken);
    fitted.push({ correction, amount: formatDecimal(taken.neg()), rest: formatDecimal(taken.sub(wanted)) });
  });
  return fitted;
}

/** Whether an invoice of corrections alone would ask for something. */
export function isOwed(pending: readonly Correction[]): boolean {
  return Decimal.sum(0, ...pending.map(({ amount }) => amount)).gt(0);
}

/** When something is left over, and what names it. */
export interface CarryContext {
  nowMs: number;
  newId: NewId;
}

/** What of corrections waits for an invoice after one has taken what was fitted, in order. */
export function leftOf(
  known: readonly Correction[],
  fitted: readonly FittedCorrection[],
  context: CarryContext,
): Correction[] {
  const byId = new Map(fitted.map((one) => [one.correction.id, one]));
  const untaken = known.filter(({ id }) => !byId.has(id)).map(released);
  const rests = fitted.flatMap(({ correction, rest }) =>
    isZero(rest) ? [] : [carriedOver(correction, rest, context)],
  );
  return [...untaken, ...rests];
}

/** A correction that waits for an invoice again. */
export function released({ lineId: _, ...correction }: Correction): Correction {
  return { ...correction, state: 'pending' };
}

/** What is left of a correction for the next invoice. */
export function carriedOver(correction: Correction, rest: string, { nowMs, newId }: CarryContext): Correction {
  const already = 'What was left of: ';
  const { description } = correction;
  return {
    ...released(correction),
    id: newId(),
    originId: correction.originId ?? correction.id,
    reason: 'carried_over',
    description: description.startsWith(already) ? description : `${already}${description}`,
    amount: rest,
    createdAtMs: nowMs,
  };
}
