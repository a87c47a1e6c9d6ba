/**
 * What is let off with a part of a period that is taken off, or goes with its draft: as much as was used in it. The next part
 * bills what is left, so it has to be known also where the part's quantity was not taken yet.
 */

import type { CustomerScope } from '../../../customers/test-clocks/index.ts';
import { differenceOf, isNegative } from '../../../platform/decimal-texts.ts';
import { type Invoice, type InvoiceLine, isMetered, isMissing, readUsages } from '../../invoice-records/index.ts';
import type { InvoicesDeps } from '../deps.ts';
import type { Moving } from './moving.ts';

/** Quantities by line. */
export type LetOff = ReadonlyMap<string, string>;

/** @param kept lines after the move, those that are deleted by then left out */
export async function readLetOff(
  deps: InvoicesDeps,
  scope: CustomerScope,
  { customerId }: Pick<Invoice, 'customerId'>,
  before: readonly InvoiceLine[],
  kept: ReadonlySet<string>,
): Promise<LetOff> {
  const lines = before.filter(
    (line) => line.deletedAtMs === undefined && isMetered(line) && line.quantity === undefined && !kept.has(line.id),
  );
  if (lines.length === 0) return new Map();
  const asked = lines.flatMap(({ featureId, name, fullServicePeriod: { fromMs }, servicePeriod }) => [
    { featureId, name, period: { fromMs, toMs: servicePeriod.fromMs } },
    { featureId, name, period: { fromMs, toMs: servicePeriod.toMs } },
  ]);
  const values = await readUsages(deps, scope, customerId, asked);
  const letOff = new Map<string, string>();
  for (const [index, line] of lines.entries()) {
    const [atStart, atEnd] = [values[2 * index], values[2 * index + 1]];
    if (atStart === undefined || atEnd === undefined || isMissing(atStart) || isMissing(atEnd)) continue;
    const quantity = differenceOf(atEnd.value, atStart.value);
    letOff.set(line.id, isNegative(quantity) ? '0' : quantity);
  }
  return letOff;
}

/** Notes on lines that a person has taken off what was let off with them. */
export function withLetOff(moving: Moving, letOff: LetOff): Moving {
  if (letOff.size === 0) return moving;
  const lines = moving.lines.map((line) => {
    const quantity = letOff.get(line.id);
    const isNew = quantity !== undefined && line.removedBy === 'person' && line.quantity === undefined;
    return isNew ? { ...line, quantity } : line;
  });
  return { ...moving, lines };
}
