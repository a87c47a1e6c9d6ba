/** What the corrections that stand on a draft, and those that wait, come to on it. Nothing is stored. */
import type { CustomerScope } from '../../../customers/test-clocks/index.ts';
import {
  type Correction,
  correctionRepository,
  type FittedCorrection,
  fitCorrections,
} from '../../adjustments/index.ts';
import { type InvoiceLine, totalsOf } from '../../invoice-records/index.ts';
import type { Moving } from '../lifecycle/collect.ts';

export interface FittedToDraft {
  /** Corrections that are on the draft so far, by their lines. */
  attached: ReadonlyMap<string, Correction>;
  /** What the draft takes, of those and of the ones that wait. */
  fitted: readonly FittedCorrection[];
  /** All that could be on the draft, or wait: the draft takes what is fitted of them. */
  known: readonly Correction[];
}

/** @param pending corrections in the draft's currency that wait for an invoice, in order */
export async function fitToDraft(
  scope: CustomerScope,
  { lines, currency }: Pick<Moving, 'lines' | 'currency'>,
  pending: readonly Correction[],
): Promise<FittedToDraft> {
  const attached = await attachedTo(scope, lines);
  const takenOff = await takenOffBy(scope, lines);
  const own = new Set(attached.values());
  const known = [...own, ...pending].sort((a, b) => (a.id < b.id ? -1 : 1));
  const possible = known.filter((one) => own.has(one) || !takenOff.has(originOf(one)));
  const others = lines.filter(({ id }) => !attached.has(id));
  const fitted = await fitCorrections(possible, (await totalsOf(others, currency)).total);
  return { attached, fitted, known };
}

/** The corrections that lines of the invoice stand for, by the line. */
async function attachedTo(scope: CustomerScope, lines: readonly InvoiceLine[]): Promise<Map<string, Correction>> {
  const living = lines.filter((line) => line.kind === 'correction' && line.deletedAtMs === undefined);
  const corrections = await correctionRepository(scope).byIds(living.flatMap(({ correctionId }) => correctionId ?? []));
  const attached = new Map<string, Correction>();
  for (const { id, correctionId = '' } of living) {
    const correction = corrections.get(correctionId);
    if (correction?.lineId === id) attached.set(id, correction);
  }
  return attached;
}

/** What a person has taken off this invoice is for another one, and so is what was left of it. */
async function takenOffBy(scope: CustomerScope, lines: readonly InvoiceLine[]): Promise<ReadonlySet<string>> {
  const takenOff = lines.flatMap(({ removedBy, correctionId }) => (removedBy === 'person' ? (correctionId ?? []) : []));
  const corrections = await correctionRepository(scope).byIds(takenOff);
  return new Set([...corrections.values()].map(originOf));
}

function originOf({ id, originId }: Correction): string {
  return originId ?? id;
}
