/** What becomes of charges when their lines are edited or taken off, as in OpenMeter: `manual`, or `deleted`. */
import type { ControlDb } from '../../../platform/db/control-db.ts';
import { lineRepository } from '../lines/repository.ts';
import type { InvoiceLine } from '../types.ts';
import { chargeRepository } from './repository.ts';

/** Runs inside the transaction that stores the lines, after it. */
export async function chargesFollow(
  trx: ControlDb,
  before: readonly InvoiceLine[],
  after: readonly InvoiceLine[],
  atMs: number,
): Promise<void> {
  const known = new Map(before.map((line) => [line.id, line]));
  for (const line of after) {
    const was = known.get(line.id);
    const { chargeId } = line;
    if (was === undefined || was === line || chargeId === undefined || line.kind !== 'charge') continue;
    const isDropped = line.removedBy === 'person' && was.deletedAtMs === undefined;
    if (isDropped) await drop(trx, chargeId, atMs);
    else if (line.overrides !== undefined && line.overrides !== was.overrides) {
      await chargeRepository(trx).setManual(chargeId, atMs);
    }
  }
}

/** Of a longer period other parts may stand, or are to come. */
async function drop(trx: ControlDb, chargeId: string, atMs: number): Promise<void> {
  const charges = chargeRepository(trx);
  const charge = await charges.byId(chargeId);
  if (charge === undefined || charge.state === 'deleted') return;
  await charges.setManual(chargeId, atMs);
  const lines = await lineRepository(trx).ofCharge(chargeId);
  const isLeft =
    charge.state === 'open' || lines.some((line) => line.kind === 'charge' && line.deletedAtMs === undefined);
  if (!isLeft) await charges.drop(chargeId, atMs);
}
