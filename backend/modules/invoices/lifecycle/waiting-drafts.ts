/**
 * Drafts whose quantities are still to be taken, as they will be when nothing more happens: the next invoice bills what
 * they leave, of the periods that they are parts of and of the credits that wait.
 */

import { fitCorrections } from '../corrections/fit.ts';
import { correctionRepository } from '../corrections/repository.ts';
import type { InvoicesDeps } from '../deps.ts';
import { lineRepository } from '../lines/repository.ts';
import { currencyOf, isZero } from '../money.ts';
import { totalsOf } from '../rate-line.ts';
import { invoiceRepository } from '../repository.ts';
import type { Correction, Invoice, InvoiceLine } from '../types.ts';
import { type Moving, rateAll, takeQuantities } from './collect.ts';
import { factsOf, passesCollecting } from './facts.ts';
import { readQuantities } from './quantities.ts';
import { nextStatus } from './states.ts';

/** The last instant of the calendar that instants are stored in. */
const FOR_EVER_MS = Date.UTC(9999, 0, 1);

/** What is known besides what is stored. */
export interface AfterDrafts {
  /** Lines of drafts with the quantities that will be taken, by id. */
  lines: ReadonlyMap<string, InvoiceLine>;
  /** Corrections that will then still wait for an invoice. */
  pending: readonly Correction[];
}

/** Nothing is stored. */
export async function afterWaitingDrafts(
  deps: InvoicesDeps,
  customerId: string,
  currencyCode: string,
): Promise<AfterDrafts> {
  const { db } = deps;
  const currency = await currencyOf(deps, currencyCode, db);
  const lines = new Map<string, InvoiceLine>();
  let pending = await correctionRepository(db).pending(customerId, currencyCode);
  for (const invoice of await waitingDrafts(deps, customerId, currencyCode)) {
    const stored = await lineRepository(db).ofInvoice(invoice.id);
    const released = await releasedBy(deps, stored);
    pending = [...pending, ...released].sort((a, b) => (a.id < b.id ? -1 : 1));
    const own = stored.filter((line) => line.deletedAtMs === undefined && !isAttached(line));
    const start: Moving = { invoice, lines: own, currency };
    const read = await readQuantities(deps, invoice, own);
    const taken = rateAll(await takeQuantities(db, start, read, lines), deps.newId);
    for (const line of taken.lines) lines.set(line.id, line);
    pending = left(pending, totalsOf(taken.lines, currency).total);
  }
  return { lines, pending };
}

/** In the order in which their quantities will be taken. */
async function waitingDrafts(deps: InvoicesDeps, customerId: string, currency: string): Promise<Invoice[]> {
  const { db } = deps;
  const found: Invoice[] = [];
  // Those that somebody has to move first take nothing by themselves.
  for (const id of await invoiceRepository(db).toWakeOf(customerId, FOR_EVER_MS)) {
    const invoice = await invoiceRepository(db).byId(id);
    if (invoice === undefined || invoice.currency !== currency) continue;
    const lines = await lineRepository(db).ofInvoice(id);
    const app = await deps.findApp(invoice.appId, db);
    const facts = factsOf(invoice, lines, app, Math.max(deps.clock.nowMs(), invoice.collectionAtMs ?? 0));
    const next = nextStatus(invoice.status, facts);
    if (next !== undefined && passesCollecting(next, facts)) found.push(invoice);
  }
  return found;
}

function isAttached(line: InvoiceLine): boolean {
  return line.kind === 'correction' && line.controller === 'system' && line.correctionId !== undefined;
}

/** Corrections that an earlier taking has put on the draft; the next one takes them off first. */
async function releasedBy(deps: InvoicesDeps, lines: readonly InvoiceLine[]): Promise<Correction[]> {
  const released: Correction[] = [];
  for (const line of lines) {
    if (line.deletedAtMs !== undefined || !isAttached(line) || line.correctionId === undefined) continue;
    const correction = await correctionRepository(deps.db).byId(line.correctionId);
    if (correction !== undefined) released.push(correction);
  }
  return released;
}

/** What an invoice with this total leaves of the corrections. */
function left(pending: readonly Correction[], total: string): Correction[] {
  const fitted = new Map(fitCorrections(pending, total).map((one) => [one.correction.id, one]));
  return pending.flatMap((correction) => {
    const taken = fitted.get(correction.id);
    if (taken === undefined) return [correction];
    return isZero(taken.rest) ? [] : [{ ...correction, amount: taken.rest, reason: 'carried_over' as const }];
  });
}
