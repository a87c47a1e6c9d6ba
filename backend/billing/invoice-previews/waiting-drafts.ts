/** Drafts that move on by themselves, and when: some of them are to take their quantities, all are to be issued. */
import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import type { BillingRunsDeps } from '../billing-runs/index.ts';
import { currencyOf } from '../charges/index.ts';
import { type Invoice, invoiceRepository, lineRepository, nextStatus } from '../invoice-records/index.ts';
import { draftUntilMs, factsOf, hasLiving, type Moving, passes, taxRulesOf } from '../invoices/index.ts';

export interface WaitingDraft {
  moving: Moving;
  /** When its quantities are taken; undefined: they have been. */
  takenAtMs: number | undefined;
  /** undefined: somebody has to do something first. */
  issuedAtMs: number | undefined;
}

/** In the order of their ids. */
export async function waitingDrafts(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  customerId: string,
  currencyCode: string,
): Promise<WaitingDraft[]> {
  const currency = await currencyOf(deps, currencyCode, scope);
  const found: WaitingDraft[] = [];
  for (const invoice of await invoiceRepository(scope).movingDrafts(customerId, currencyCode)) {
    const taxes = await taxRulesOf(deps, scope, invoice);
    const moving = { invoice, lines: await lineRepository(scope).ofInvoice(invoice.id), currency, taxes };
    found.push({ moving, ...(await instantsOf(deps, scope, moving)) });
  }
  return found;
}

async function instantsOf(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  { invoice, lines }: Moving,
): Promise<Pick<WaitingDraft, 'takenAtMs' | 'issuedAtMs'>> {
  const nowMs = scope.clock.nowMs();
  const app = await deps.findApp(invoice.appId, scope);
  const hasLines = hasLiving(lines);
  const reachesAt = (goal: 'draft.collecting' | 'issued', atMs: number, of: Invoice) => {
    const facts = factsOf(of, hasLines, { rail: deps.rails[of.appType], app, nowMs: atMs });
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
