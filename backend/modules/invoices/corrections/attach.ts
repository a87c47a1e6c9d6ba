/** Which corrections stand on a draft. Runs inside the transaction of the step that takes quantities. */
import type { ControlDb } from '../../../platform/db/control-db.ts';
import { correctionLine, type Moving, withTotals } from '../lifecycle/collect.ts';
import { isZero } from '../money.ts';
import { rateCorrection } from '../rate-line.ts';
import type { Correction, InvoiceLine } from '../types.ts';
import { type CarryContext, carriedOver, type FittedCorrection, released } from './fit.ts';
import { fitToDraft } from './on-draft.ts';
import { correctionRepository } from './repository.ts';

/**
 * Puts the corrections that wait for the customer's next invoice on this one, as far as its total goes. Those that are on it
 * already keep their lines, with what somebody has written there: only the amount follows the total.
 */
export async function attachCorrections(db: ControlDb, moving: Moving, context: CarryContext): Promise<Moving> {
  const { invoice, lines } = moving;
  const pending = await correctionRepository(db).pending(invoice.customerId, invoice.currency);
  const { attached, fitted } = await fitToDraft(db, moving, pending);
  const byId = new Map(fitted.map((one) => [one.correction.id, one]));
  const next: InvoiceLine[] = [];
  for (const line of lines) {
    const own = attached.get(line.id);
    const fit = own && byId.get(own.id);
    if (own !== undefined) byId.delete(own.id);
    if (own === undefined) next.push(line);
    else if (fit === undefined) next.push(await detach(db, own, line, context));
    else next.push(await refit(db, line, fit, context));
  }
  for (const fit of fitted.filter(({ correction }) => byId.has(correction.id))) {
    const line = correctionLine(
      { ...fit.correction, amount: fit.amount },
      { invoice, position: next.length, ...context },
    );
    await settle(db, fit, line.id, context);
    next.push(line);
  }
  return withTotals({ ...moving, lines: next });
}

async function detach(
  db: ControlDb,
  correction: Correction,
  line: InvoiceLine,
  { nowMs }: CarryContext,
): Promise<InvoiceLine> {
  await correctionRepository(db).replace(released(correction));
  return { ...line, deletedAtMs: nowMs, updatedAtMs: nowMs, removedBy: 'system' };
}

async function refit(
  db: ControlDb,
  line: InvoiceLine,
  fit: FittedCorrection,
  context: CarryContext,
): Promise<InvoiceLine> {
  if (fit.amount === fit.correction.amount) return line;
  const used = await settle(db, fit, line.id, context);
  const price = { type: 'flat' as const, amount: used.amount };
  return { ...line, terms: { ...line.terms, price }, rated: rateCorrection(used, context.newId) };
}

async function settle(
  db: ControlDb,
  { correction, amount, rest }: FittedCorrection,
  lineId: string,
  context: CarryContext,
): Promise<Correction> {
  const used: Correction = { ...correction, amount, state: 'invoiced', lineId };
  await correctionRepository(db).replace(used);
  if (!isZero(rest)) await correctionRepository(db).insert(carriedOver(correction, rest, context));
  return used;
}
