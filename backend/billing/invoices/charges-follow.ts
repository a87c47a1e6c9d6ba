/** What becomes of charges when their lines are edited or taken off, as in OpenMeter: `manual`, or `deleted`. */

import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { listsOf } from '../../platform/db/in-lists.ts';
import { type Charge, chargeRepository } from '../charges/index.ts';
import { type InvoiceLine, lineRepository } from '../invoice-records/index.ts';

/** Runs inside the transaction that stores the lines, after it. */
export async function chargesFollow(
  scope: CustomerScope,
  before: readonly InvoiceLine[],
  after: readonly InvoiceLine[],
  atMs: number,
): Promise<void> {
  const known = new Map(before.map((line) => [line.id, line]));
  const edited = new Set<string>();
  const dropped = new Set<string>();
  for (const line of after) {
    const was = known.get(line.id);
    const { chargeId } = line;
    if (was === undefined || was === line || chargeId === undefined || line.kind !== 'charge') continue;
    const isDropped = line.removedBy === 'person' && was.deletedAtMs === undefined;
    if (isDropped) dropped.add(chargeId);
    else if (line.overrides !== undefined && line.overrides !== was.overrides) edited.add(chargeId);
  }
  await chargeRepository(scope).setManual([...edited], atMs);
  for (const ids of listsOf([...dropped], CHARGES_AT_ONCE)) await drop(scope, ids, atMs);
}

/** All of their lines are in memory at a time. */
const CHARGES_AT_ONCE = 500;

/** Of a longer period other parts may stand, or are to come. */
async function drop(scope: CustomerScope, ids: readonly string[], atMs: number): Promise<void> {
  const charges = chargeRepository(scope);
  const kept = (await charges.byIds(ids)).filter(({ state }) => state !== 'deleted');
  const keptIds = kept.map(({ id }) => id);
  await charges.setManual(keptIds, atMs);
  const lines = await lineRepository(scope).ofCharges(keptIds);
  const isLeft = ({ id, state }: Charge) =>
    state === 'open' || (lines.get(id) ?? []).some((line) => line.kind === 'charge' && line.deletedAtMs === undefined);
  await charges.drop(
    kept.filter((charge) => !isLeft(charge)).map(({ id }) => id),
    atMs,
  );
}
