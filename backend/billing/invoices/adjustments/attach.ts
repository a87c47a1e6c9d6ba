/** Which adjustments stand on a draft. Runs inside the transaction of the step that takes quantities. */

import type { CustomerScope } from '../../../customers/test-clocks/index.ts';
import { isZero } from '../../../platform/decimal-texts.ts';
import { forEachInSlices } from '../../../platform/in-slices.ts';
import {
  type Adjustment,
  adjustmentRepository,
  type CarryContext,
  carriedOver,
  type FittedAdjustment,
  rateAdjustment,
  released,
} from '../../adjustments/index.ts';
import type { InvoiceLine } from '../../invoice-records/index.ts';
import { adjustmentLine, withTotals } from '../lifecycle/collect.ts';
import type { Moving } from '../lifecycle/moving.ts';
import { fitToDraft } from './on-draft.ts';

/**
 * Puts the adjustments that wait for the customer's next invoice on this one, as far as its total goes. Those that are on it
 * already keep their lines, with what somebody has written there: only the amount follows the total.
 */
export async function attachAdjustments(scope: CustomerScope, moving: Moving, context: CarryContext): Promise<Moving> {
  const { invoice, lines } = moving;
  const pending = await adjustmentRepository(scope).pending(invoice.customerId, invoice.currency);
  const { attached, fitted } = await fitToDraft(scope, moving, pending);
  const byId = new Map(fitted.map((one) => [one.adjustment.id, one]));
  const next: InvoiceLine[] = [];
  const changed: Adjustment[] = [];
  for (const line of lines) {
    const own = attached.get(line.id);
    const fit = own && byId.get(own.id);
    if (own !== undefined) byId.delete(own.id);
    if (own === undefined) next.push(line);
    else if (fit === undefined) {
      changed.push(released(own));
      next.push({ ...line, deletedAtMs: context.nowMs, updatedAtMs: context.nowMs, removedBy: 'system' });
    } else if (fit.amount === fit.adjustment.amount) next.push(line);
    else {
      const settled = settle(fit, line.id, context);
      changed.push(...settled);
      next.push(refitted(line, settled[0], context));
    }
  }
  const added = fitted.filter(({ adjustment }) => byId.has(adjustment.id));
  await forEachInSlices(added, (fit) => {
    const line = adjustmentLine(
      { ...fit.adjustment, amount: fit.amount },
      { invoice, position: next.length, ...context },
    );
    changed.push(...settle(fit, line.id, context));
    next.push(line);
  });
  await adjustmentRepository(scope).store(changed);
  return withTotals({ ...moving, lines: next });
}

/** The line with what the adjustment comes to on it now. */
function refitted(line: InvoiceLine, used: Adjustment, { newId }: CarryContext): InvoiceLine {
  const price = { type: 'flat' as const, amount: used.amount };
  return { ...line, terms: { ...line.terms, price }, rated: rateAdjustment(used, newId) };
}

/** The adjustment as it is on the line, and what is left of it for another invoice. */
function settle(
  { adjustment, amount, rest }: FittedAdjustment,
  lineId: string,
  context: CarryContext,
): [Adjustment, ...Adjustment[]] {
  const used: Adjustment = { ...adjustment, amount, state: 'invoiced', lineId };
  return isZero(rest) ? [used] : [used, carriedOver(adjustment, rest, context)];
}
