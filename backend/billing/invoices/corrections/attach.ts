/** Which corrections stand on a draft. Runs inside the transaction of the step that takes quantities. */

import type { CustomerScope } from '../../../customers/test-clocks/index.ts';
import { isZero } from '../../../platform/decimal-texts.ts';
import { forEachInSlices } from '../../../platform/in-slices.ts';
import {
  type CarryContext,
  type Correction,
  carriedOver,
  correctionRepository,
  type FittedCorrection,
  rateCorrection,
  released,
} from '../../adjustments/index.ts';
import type { InvoiceLine } from '../../invoice-records/index.ts';
import { correctionLine, type Moving, withTotals } from '../lifecycle/collect.ts';
import { fitToDraft } from './on-draft.ts';

/**
 * Puts the corrections that wait for the customer's next invoice on this one, as far as its total goes. Those that are on it
 * already keep their lines, with what somebody has written there: only the amount follows the total.
 */
export async function attachCorrections(scope: CustomerScope, moving: Moving, context: CarryContext): Promise<Moving> {
  const { invoice, lines } = moving;
  const pending = await correctionRepository(scope).pending(invoice.customerId, invoice.currency);
  const { attached, fitted } = await fitToDraft(scope, moving, pending);
  const byId = new Map(fitted.map((one) => [one.correction.id, one]));
  const next: InvoiceLine[] = [];
  const changed: Correction[] = [];
  for (const line of lines) {
    const own = attached.get(line.id);
    const fit = own && byId.get(own.id);
    if (own !== undefined) byId.delete(own.id);
    if (own === undefined) next.push(line);
    else if (fit === undefined) {
      changed.push(released(own));
      next.push({ ...line, deletedAtMs: context.nowMs, updatedAtMs: context.nowMs, removedBy: 'system' });
    } else if (fit.amount === fit.correction.amount) next.push(line);
    else {
      const settled = settle(fit, line.id, context);
      changed.push(...settled);
      next.push(refitted(line, settled[0], context));
    }
  }
  const added = fitted.filter(({ correction }) => byId.has(correction.id));
  await forEachInSlices(added, (fit) => {
    const line = correctionLine(
      { ...fit.correction, amount: fit.amount },
      { invoice, position: next.length, ...context },
    );
    changed.push(...settle(fit, line.id, context));
    next.push(line);
  });
  await correctionRepository(scope).store(changed);
  return withTotals({ ...moving, lines: next });
}

/** The line with what the correction comes to on it now. */
function refitted(line: InvoiceLine, used: Correction, { newId }: CarryContext): InvoiceLine {
  const price = { type: 'flat' as const, amount: used.amount };
  return { ...line, terms: { ...line.terms, price }, rated: rateCorrection(used, newId) };
}

/** The correction as it is on the line, and what is left of it for another invoice. */
function settle(
  { correction, amount, rest }: FittedCorrection,
  lineId: string,
  context: CarryContext,
): [Correction, ...Correction[]] {
  const used: Correction = { ...correction, amount, state: 'invoiced', lineId };
  return isZero(rest) ? [used] : [used, carriedOver(correction, rest, context)];
}
