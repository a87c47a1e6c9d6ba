/** Which corrections stand on a draft. Runs inside the transaction of the step that takes quantities. */
import type { ControlDb } from '../../../platform/db/control-db.ts';
import type { NewId } from '../../../platform/ids.ts';
import { correctionLine, type Moving, withTotals } from '../lifecycle/collect.ts';
import { isZero } from '../money.ts';
import { rateCorrection, totalsOf } from '../rate-line.ts';
import type { Correction, InvoiceLine } from '../types.ts';
import { type FittedCorrection, fitCorrections } from './fit.ts';
import { correctionRepository } from './repository.ts';

interface AttachContext {
  nowMs: number;
  newId: NewId;
}

/**
 * Puts the corrections that wait for the customer's next invoice on this one, as far as its total goes. Those that are on it
 * already keep their lines, with what somebody has written there: only the amount follows the total.
 */
export async function attachCorrections(db: ControlDb, moving: Moving, context: AttachContext): Promise<Moving> {
  const { invoice, lines, currency } = moving;
  const corrections = correctionRepository(db);
  const attached = await attachedTo(db, lines);
  const takenOff = await takenOffBy(db, lines);
  const waiting = (await corrections.pending(invoice.customerId, invoice.currency)).filter(
    (one) => !takenOff.has(originOf(one)),
  );
  const all = [...[...attached.values()].map(({ correction }) => correction), ...waiting].sort((a, b) =>
    a.id < b.id ? -1 : 1,
  );
  const others = lines.filter(({ id }) => !attached.has(id));
  const fitted = fitCorrections(all, totalsOf(others, currency).total);
  const byId = new Map(fitted.map((one) => [one.correction.id, one]));
  const next: InvoiceLine[] = [];
  for (const line of lines) {
    const own = attached.get(line.id);
    const fit = own && byId.get(own.correction.id);
    if (own !== undefined) byId.delete(own.correction.id);
    if (own === undefined) next.push(line);
    else if (fit === undefined) next.push(await detach(db, own.correction, line, context));
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

/** Lines of the invoice that stand for a correction, by the line. */
async function attachedTo(db: ControlDb, lines: readonly InvoiceLine[]) {
  const attached = new Map<string, { line: InvoiceLine; correction: Correction }>();
  for (const line of lines) {
    if (line.kind !== 'correction' || line.deletedAtMs !== undefined || line.correctionId === undefined) continue;
    const correction = await correctionRepository(db).byId(line.correctionId);
    if (correction?.lineId === line.id) attached.set(line.id, { line, correction });
  }
  return attached;
}

/** What a person has taken off this invoice is for another one, and so is what was left of it. */
async function takenOffBy(db: ControlDb, lines: readonly InvoiceLine[]): Promise<ReadonlySet<string>> {
  const origins = new Set<string>();
  for (const { removedBy, correctionId } of lines) {
    if (removedBy !== 'person' || correctionId === undefined) continue;
    const correction = await correctionRepository(db).byId(correctionId);
    if (correction !== undefined) origins.add(originOf(correction));
  }
  return origins;
}

function originOf({ id, originId }: Correction): string {
  return originId ?? id;
}

async function detach(
  db: ControlDb,
  correction: Correction,
  line: InvoiceLine,
  { nowMs }: AttachContext,
): Promise<InvoiceLine> {
  await correctionRepository(db).replace(released(correction));
  return { ...line, deletedAtMs: nowMs, updatedAtMs: nowMs, removedBy: 'system' };
}

async function refit(
  db: ControlDb,
  line: InvoiceLine,
  fit: FittedCorrection,
  context: AttachContext,
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
  context: AttachContext,
): Promise<Correction> {
  const used: Correction = { ...correction, amount, state: 'invoiced', lineId };
  await correctionRepository(db).replace(used);
  if (!isZero(rest)) await correctionRepository(db).insert(carriedOver(correction, rest, context));
  return used;
}

/** A correction that waits for an invoice again. */
export function released({ lineId: _, ...correction }: Correction): Correction {
  return { ...correction, state: 'pending' };
}

function carriedOver(correction: Correction, rest: string, { nowMs, newId }: AttachContext): Correction {
  const already = 'What was left of: ';
  const { description } = correction;
  return {
    ...released(correction),
    id: newId(),
    originId: originOf(correction),
    reason: 'carried_over',
    description: description.startsWith(already) ? description : `${already}${description}`,
    amount: rest,
    createdAtMs: nowMs,
  };
}
