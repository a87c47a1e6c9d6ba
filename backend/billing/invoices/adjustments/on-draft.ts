/** What the adjustments that stand on a draft, and those that wait, come to on it. Nothing is stored. */
import type { CustomerScope } from '../../../customers/test-clocks/index.ts';
import {
  type Adjustment,
  adjustmentRepository,
  type FittedAdjustment,
  fitAdjustments,
} from '../../adjustments/index.ts';
import { type InvoiceLine, totalsOf, untaxed } from '../../invoice-records/index.ts';
import type { Moving } from '../lifecycle/moving.ts';

export interface FittedToDraft {
  /** Adjustments that are on the draft so far, by their lines. */
  attached: ReadonlyMap<string, Adjustment>;
  /** What the draft takes, of those and of the ones that wait. */
  fitted: readonly FittedAdjustment[];
  /** All that could be on the draft, or wait: the draft takes what is fitted of them. */
  known: readonly Adjustment[];
}

/** @param pending adjustments in the draft's currency that wait for an invoice, in order */
export async function fitToDraft(
  scope: CustomerScope,
  { lines, currency }: Pick<Moving, 'lines' | 'currency'>,
  pending: readonly Adjustment[],
): Promise<FittedToDraft> {
  const attached = await attachedTo(scope, lines);
  const takenOff = await takenOffBy(scope, lines);
  const own = new Set(attached.values());
  const known = [...own, ...pending].sort((a, b) => (a.id < b.id ? -1 : 1));
  const possible = known.filter((one) => own.has(one) || !takenOff.has(originOf(one)));
  const others = lines.filter(({ id }) => !attached.has(id));
  const fitted = await fitAdjustments(possible, untaxed(await totalsOf(others, currency)));
  return { attached, fitted, known };
}

/** The adjustments that lines of the invoice stand for, by the line. */
async function attachedTo(scope: CustomerScope, lines: readonly InvoiceLine[]): Promise<Map<string, Adjustment>> {
  const living = lines.filter((line) => line.kind === 'correction' && line.deletedAtMs === undefined);
  const adjustments = await adjustmentRepository(scope).byIds(living.flatMap(({ adjustmentId }) => adjustmentId ?? []));
  const attached = new Map<string, Adjustment>();
  for (const { id, adjustmentId = '' } of living) {
    const adjustment = adjustments.get(adjustmentId);
    if (adjustment?.lineId === id) attached.set(id, adjustment);
  }
  return attached;
}

/** What a person has taken off this invoice is for another one, and so is what was left of it. */
async function takenOffBy(scope: CustomerScope, lines: readonly InvoiceLine[]): Promise<ReadonlySet<string>> {
  const takenOff = lines.flatMap(({ removedBy, adjustmentId }) => (removedBy === 'person' ? (adjustmentId ?? []) : []));
  const adjustments = await adjustmentRepository(scope).byIds(takenOff);
  return new Set([...adjustments.values()].map(originOf));
}

function originOf({ id, originId }: Adjustment): string {
  return originId ?? id;
}
