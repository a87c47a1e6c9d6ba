/** What has to change so that stored charges are those that a subscription asks for. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { forEachInSlices } from '../../platform/in-slices.ts';
import { truncateMs } from '../../platform/period/index.ts';
import type { Charge, ChargeContent, WantedCharge } from './types.ts';
import { isAskedFor } from './wanted.ts';

export type ChargeChange =
  | { kind: 'create'; wanted: WantedCharge }
  /** Also for one that was deleted and is asked for again: a reference is never given twice. */
  | { kind: 'update'; charge: Charge; wanted: WantedCharge }
  | { kind: 'remove'; charge: Charge };

/**
 * @param stored all charges of the subscription, deleted ones included; those that a person has let off stay so
 * @param untilMs up to where charges were asked for: later ones that are stored stay as they are
 * @param endsAtMs when the subscription ends: nothing is charged from then on
 */
export async function compareCharges(
  wanted: readonly WantedCharge[],
  stored: readonly Charge[],
  untilMs: number,
  endsAtMs?: number,
): Promise<ChargeChange[]> {
  const byReference = new Map(stored.map((charge) => [charge.reference, charge]));
  const references = new Set(wanted.map(({ reference }) => reference));
  const changes: ChargeChange[] = [];
  await forEachInSlices(wanted, (charge) => {
    const found = byReference.get(charge.reference);
    if (found === undefined) changes.push({ kind: 'create', wanted: charge });
    else if (found.droppedAtMs !== undefined) return;
    else if (found.state === 'deleted' || !isSame(found, charge)) {
      changes.push({ kind: 'update', charge: found, wanted: charge });
    }
  });
  for (const charge of stored) {
    if (charge.state === 'deleted' || charge.reference === undefined || references.has(charge.reference)) continue;
    // Charges begin at whole seconds.
    const isAfterTheEnd = endsAtMs !== undefined && charge.servicePeriod.fromMs >= truncateMs(endsAtMs, 1000);
    if (isAfterTheEnd || isAskedFor(charge, untilMs)) changes.push({ kind: 'remove', charge });
  }
  return changes;
}

const CONTENT: readonly (keyof ChargeContent)[] = [
  'currency',
  'name',
  'description',
  'subscription',
  'featureId',
  'featureKey',
  'terms',
  'taxConfig',
  'settlementMode',
  'prorationMode',
  'amount',
  'servicePeriod',
  'fullServicePeriod',
  'billingPeriod',
  'invoiceAtMs',
];

function isSame(charge: Charge, wanted: WantedCharge): boolean {
  return CONTENT.every((field) => isDeepStrictEqual(charge[field], wanted[field]));
}
