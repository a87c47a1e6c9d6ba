/**
 * What the drafts leave for the next invoice when nothing more happens: of periods that they are parts of, of the adjustments
 * that wait, and as adjustments of what has changed since their quantities were taken. Nothing is stored.
 */
import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { sumDecimals } from '../../platform/decimal.ts';
import { type Adjustment, adjustmentRepository, leftOf, recountCharge } from '../adjustments/index.ts';
import type { BillingRunsDeps } from '../billing-runs/index.ts';
import { chargeRepository } from '../charges/index.ts';
import type { Payable } from '../credits/index.ts';
import {
  type InvoiceLine,
  isMetered,
  type LineOfCharge,
  lineRepository,
  readQuantities,
  waitsForEarlierPart,
} from '../invoice-records/index.ts';
import { fitToDraft, type Moving, payableOf, rateAll, readCuts, takeQuantities } from '../invoices/index.ts';
import { type WaitingDraft, waitingDrafts } from './waiting-drafts.ts';

/** What is known besides what is stored when the quantities of the next invoice are taken. */
export interface AfterDrafts {
  /** Lines of drafts with the quantities that will be taken, by id. */
  lines: ReadonlyMap<string, InvoiceLine>;
  /** Adjustments that will then wait for an invoice. */
  pending: readonly Adjustment[];
  /** What credit will have paid of drafts by then, in order. */
  payables: readonly Payable[];
  /** When the last draft came before it that does; now: none does. */
  lastAtMs: number;
}

/** How far the drafts have come. */
interface Walk extends AfterDrafts {
  lines: Map<string, InvoiceLine>;
  pending: Adjustment[];
  payables: Payable[];
  lastAtMs: number;
  waiting: WaitingDraft[];
  /** Charges on drafts that were issued meanwhile, and have not been counted again since. */
  uncounted: Set<string>;
  /** Drafts that were issued meanwhile. */
  issued: Set<string>;
}

/**
 * @param next the next invoice. Drafts come before it that are collected by then, and those that its lines are later parts of
 * @param nextAtMs when its quantities are taken; undefined: when all drafts are done
 */
export async function afterDrafts(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  next: Moving,
  nextAtMs = Number.POSITIVE_INFINITY,
): Promise<AfterDrafts> {
  const { customerId, currency } = next.invoice;
  const untilMs = Math.max(scope.clock.nowMs(), nextAtMs);
  const walk: Walk = {
    lines: new Map(),
    pending: await adjustmentRepository(scope).pending(customerId, currency),
    waiting: await waitingDrafts(deps, scope, customerId, currency),
    payables: [],
    uncounted: new Set(),
    issued: new Set(),
    lastAtMs: scope.clock.nowMs(),
  };
  for (;;) {
    const isNextReady = !(await waitsForEarlierPart(scope, next.lines, walk.lines));
    const draft = await nextToMove(scope, walk);
    if (draft === undefined || (isNextReady && movesAtMs(draft) > untilMs)) break;
    walk.lastAtMs = Math.max(walk.lastAtMs, movesAtMs(draft));
    if (draft.takenAtMs !== undefined) await take(deps, scope, walk, draft);
    else issue(walk, draft);
  }
  await countAgain(deps, scope, walk);
  return walk;
}

const movesAtMs = ({ takenAtMs, issuedAtMs }: WaitingDraft) => takenAtMs ?? issuedAtMs ?? Number.POSITIVE_INFINITY;

/** The first one to do anything, but for those that wait for an earlier part of a period. */
async function nextToMove(scope: CustomerScope, { waiting, lines }: Walk): Promise<WaitingDraft | undefined> {
  const moving = waiting.filter((draft) => movesAtMs(draft) !== Number.POSITIVE_INFINITY);
  for (const draft of moving.toSorted((a, b) => movesAtMs(a) - movesAtMs(b))) {
    const isTaking = draft.takenAtMs !== undefined;
    if (!isTaking || !(await waitsForEarlierPart(scope, draft.moving.lines, lines))) return draft;
  }
  return undefined;
}

async function take(deps: BillingRunsDeps, scope: CustomerScope, walk: Walk, draft: WaitingDraft): Promise<void> {
  await countAgain(deps, scope, walk);
  const { invoice, lines } = draft.moving;
  const read = await readQuantities(deps, scope, invoice, lines);
  const taken = await rateAll(await takeQuantities(scope, draft.moving, read, walk.lines), scope.newId);
  for (const line of taken.lines) walk.lines.set(line.id, line);
  const { known, fitted } = await fitToDraft(scope, taken, walk.pending);
  const cuts = await readCuts(deps, scope, invoice.currency, lines);
  const { runs, limit } = await payableOf(scope, taken, cuts);
  walk.payables.push({ runs, limit: limit.add(sumDecimals(fitted.map(({ amount }) => amount))) });
  walk.pending = leftOf(known, fitted, { nowMs: scope.clock.nowMs(), newId: scope.newId });
  draft.takenAtMs = undefined;
}

function issue(walk: Walk, draft: WaitingDraft): void {
  const { invoice, lines } = draft.moving;
  walk.waiting = walk.waiting.filter((other) => other !== draft);
  walk.issued.add(invoice.id);
  for (const line of lines) {
    if (line.kind === 'charge' && line.deletedAtMs === undefined && line.chargeId !== undefined && isMetered(line)) {
      walk.uncounted.add(line.chargeId);
    }
  }
}

/** As each invoice counts again what was issued before its own quantities are taken. */
async function countAgain(deps: BillingRunsDeps, scope: CustomerScope, walk: Walk): Promise<void> {
  for (const id of walk.uncounted) {
    const charge = await chargeRepository(scope).byId(id);
    const stored = await lineRepository(scope).ofCharge(id);
    const lines = stored.map((line): LineOfCharge => {
      const isIssued = walk.issued.has(line.invoiceId);
      return { ...line, ...walk.lines.get(line.id), ...(isIssued && { invoiceStatus: 'issued' }) };
    });
    const found = charge === undefined ? [] : await recountCharge(deps, scope, charge, lines);
    walk.pending.push(...found.filter(({ state }) => state === 'pending'));
  }
  walk.uncounted.clear();
}
