import type { App } from '../../apps/index.ts';
import {
  type ExtendedStatus,
  type Facts,
  type Invoice,
  type InvoiceLine,
  nextStatus,
  transition,
} from '../../invoice-records/index.ts';
import type { Rail } from '../rail.ts';

/** Facts that another system reports, kept on the invoice under the names that OpenMeter gave them. */
export const DRAFT_SYNCED_AT = 'openmeter.io/custominvoicing/draft-synced-at';
export const FINALIZED_AT = 'openmeter.io/custominvoicing/finalized-at';

/** Whether there is a line that was not deleted. */
export function hasLiving(lines: readonly InvoiceLine[]): boolean {
  return lines.some((line) => line.deletedAtMs === undefined);
}

export function factsOf(
  invoice: Invoice,
  hasLines: boolean,
  { rail, app, nowMs }: { rail: Rail; app: App | undefined; nowMs: number },
): Facts {
  return {
    nowMs,
    collectionAtMs: invoice.collectionAtMs,
    draftUntilMs: invoice.draftUntilMs,
    hasCriticalIssue: invoice.issues.some(({ severity }) => severity === 'critical'),
    hasLines,
    isDraftSynced: !rail.awaitsDraft(invoice, app),
    isFinalized: !rail.awaitsIssue(invoice, app),
  };
}

/** Whether the automatic steps from a status pass the taking of quantities. */
export function passesCollecting(from: ExtendedStatus, facts: Facts): boolean {
  return passes('draft.collecting', from, facts);
}

/** Whether the automatic steps from a status come to another one, or beyond. No state is entered twice, so the walk ends. */
export function passes(goal: ExtendedStatus, from: ExtendedStatus, facts: Facts): boolean {
  for (let status: ExtendedStatus | undefined = from; status !== undefined; status = nextStatus(status, facts)) {
    if (status === goal) return true;
  }
  return false;
}

/** A retried payment is given this long before it counts as overdue again. */
const OVERDUE_GRACE_MS = 86_400_000;

/** When a job has to look at the invoice again; undefined: somebody else has to move it first. */
export function wakeAtMs(invoice: Invoice, facts: Facts): number | undefined {
  if (invoice.status === 'draft.waiting_for_collection') return invoice.collectionAtMs ?? facts.nowMs;
  if (invoice.status === 'draft.waiting_auto_approval') return invoice.draftUntilMs;
  if (transition(invoice.status, 'overdue') === undefined || invoice.dueAtMs === undefined) return undefined;
  return invoice.dueAtMs > facts.nowMs ? invoice.dueAtMs : facts.nowMs + OVERDUE_GRACE_MS;
}
