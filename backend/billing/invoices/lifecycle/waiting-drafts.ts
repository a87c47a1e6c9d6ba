/** Drafts that move on by themselves, and when: some of them are to take their quantities, all are to be issued. */
import type { InvoicesDeps } from '../deps.ts';
import { lineRepository } from '../lines/repository.ts';
import { currencyOf } from '../money.ts';
import { invoiceRepository } from '../repository.ts';
import type { Invoice } from '../types.ts';
import type { Moving } from './collect.ts';
import { factsOf, hasLiving, passes } from './facts.ts';
import { nextStatus } from './states.ts';
import { draftUntilMs } from './times.ts';

export interface WaitingDraft {
  moving: Moving;
  /** When its quantities are taken; undefined: they have been. */
  takenAtMs: number | undefined;
  /** undefined: somebody has to do something first. */
  issuedAtMs: number | undefined;
}

/** In the order of their ids. */
export async function waitingDrafts(
  deps: InvoicesDeps,
  customerId: string,
  currencyCode: string,
): Promise<WaitingDraft[]> {
  const { db } = deps;
  const currency = await currencyOf(deps, currencyCode, db);
  const found: WaitingDraft[] = [];
  for (const invoice of await invoiceRepository(db).movingDrafts(customerId, currencyCode)) {
    const moving = { invoice, lines: await lineRepository(db).ofInvoice(invoice.id), currency };
    found.push({ moving, ...(await instantsOf(deps, moving)) });
  }
  return found;
}

async function instantsOf(
  deps: InvoicesDeps,
  { invoice, lines }: Moving,
): Promise<Pick<WaitingDraft, 'takenAtMs' | 'issuedAtMs'>> {
  const nowMs = deps.clock.nowMs();
  const app = await deps.findApp(invoice.appId, deps.db);
  const hasLines = hasLiving(lines);
  const reachesAt = (goal: 'draft.collecting' | 'issued', atMs: number, of: Invoice) => {
    const facts = factsOf(of, hasLines, app, atMs);
    const first = nextStatus(of.status, facts);
    return first !== undefined && passes(goal, first, facts);
  };
  const collectedMs = Math.max(nowMs, invoice.collectionAtMs ?? nowMs);
  const isTaken = !reachesAt('draft.collecting', collectedMs, invoice);
  const untilMs = isTaken ? invoice.draftUntilMs : agreedUntilMs(invoice);
  const issuedMs = Math.max(collectedMs, untilMs ?? collectedMs);
  const isIssued = untilMs !== undefined && reachesAt('issued', issuedMs, { ...invoice, draftUntilMs: untilMs });
  return { takenAtMs: isTaken ? undefined : collectedMs, issuedAtMs: isIssued ? issuedMs : undefined };
}

/** As it is set when quantities are taken. */
function agreedUntilMs({ createdAtMs, collectionAtMs, workflow }: Invoice): number | undefined {
  return draftUntilMs(createdAtMs, collectionAtMs, workflow.invoicing);
}
