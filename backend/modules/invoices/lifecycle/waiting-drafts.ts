/**
 * Drafts whose quantities are still to be taken, as they will be when nothing more happens: the next invoice bills what
 * they leave, of the periods that they are parts of and of the corrections that wait.
 */
import type { ControlDb } from '../../../platform/db/control-db.ts';
import { leftOf } from '../corrections/fit.ts';
import { fitToDraft } from '../corrections/on-draft.ts';
import { correctionRepository } from '../corrections/repository.ts';
import type { InvoicesDeps } from '../deps.ts';
import { lineRepository } from '../lines/repository.ts';
import { currencyOf } from '../money.ts';
import { invoiceRepository } from '../repository.ts';
import type { Correction, InvoiceLine } from '../types.ts';
import { type Moving, rateAll, takeQuantities } from './collect.ts';
import { factsOf, passesCollecting } from './facts.ts';
import { readQuantities, waitsForEarlierPart } from './quantities.ts';
import { nextStatus } from './states.ts';

/** What is known besides what is stored when the quantities of the next invoice are taken. */
export interface AfterDrafts {
  /** Lines of drafts with the quantities that will be taken, by id. */
  lines: ReadonlyMap<string, InvoiceLine>;
  /** Corrections that will then still wait for an invoice. */
  pending: readonly Correction[];
}

/** A draft that takes its quantities by itself, and when. */
interface Waiting {
  moving: Moving;
  takenAtMs: number;
}

/**
 * Nothing is stored.
 * @param next the next invoice. Drafts come before it that are collected by then, and those that its lines are later parts of
 * @param nextAtMs when its quantities are taken; undefined: when all drafts are done
 */
export async function afterWaitingDrafts(
  deps: InvoicesDeps,
  next: Moving,
  nextAtMs = Number.POSITIVE_INFINITY,
): Promise<AfterDrafts> {
  const { db } = deps;
  const { customerId, currency } = next.invoice;
  const nowMs = deps.clock.nowMs();
  const untilMs = Math.max(nowMs, nextAtMs);
  const context = { nowMs, newId: deps.newId };
  const lines = new Map<string, InvoiceLine>();
  const waiting = await waitingDrafts(deps, customerId, currency);
  let pending = await correctionRepository(db).pending(customerId, currency);
  for (;;) {
    const isNextReady = !(await waitsForEarlierPart(db, next.lines, lines));
    const index = await indexOfReady(db, waiting, lines);
    const draft = waiting[index];
    if (draft === undefined || (isNextReady && draft.takenAtMs > untilMs)) return { lines, pending };
    waiting.splice(index, 1);
    const read = await readQuantities(deps, draft.moving.invoice, draft.moving.lines);
    const taken = rateAll(await takeQuantities(db, draft.moving, read, lines), deps.newId);
    for (const line of taken.lines) lines.set(line.id, line);
    const { known, fitted } = await fitToDraft(db, taken, pending);
    pending = leftOf(known, fitted, context);
  }
}

/** In the order in which their quantities are taken. */
async function waitingDrafts(deps: InvoicesDeps, customerId: string, currencyCode: string): Promise<Waiting[]> {
  const { db } = deps;
  const nowMs = deps.clock.nowMs();
  const found: Waiting[] = [];
  for (const invoice of await invoiceRepository(db).movingDrafts(customerId, currencyCode)) {
    const takenAtMs = Math.max(nowMs, invoice.collectionAtMs ?? nowMs);
    const lines = await lineRepository(db).ofInvoice(invoice.id);
    const facts = factsOf(invoice, lines, await deps.findApp(invoice.appId, db), takenAtMs);
    const first = nextStatus(invoice.status, facts);
    if (first === undefined || !passesCollecting(first, facts)) continue;
    found.push({ moving: { invoice, lines, currency: await currencyOf(deps, currencyCode, db) }, takenAtMs });
  }
  return found;
}

/** The first one that does not wait for an earlier part of a period, as no invoice is taken before. */
async function indexOfReady(
  db: ControlDb,
  waiting: readonly Waiting[],
  known: ReadonlyMap<string, InvoiceLine>,
): Promise<number> {
  for (const [index, { moving }] of waiting.entries()) {
    if (!(await waitsForEarlierPart(db, moving.lines, known))) return index;
  }
  return -1;
}
