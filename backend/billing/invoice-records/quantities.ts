/** Taking quantities: what is read before the transaction that stores them, and how they become those of lines. */

import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { differenceOf, isNegative, sumOf } from '../../platform/decimal-texts.ts';
import type { Period } from '../../platform/period/index.ts';
import { isLineLetOff, isTakenBack } from './billed-lines.ts';
import type { RecordsDeps } from './deps.ts';
import { lineRepository } from './lines/repository.ts';
import { netOf } from './rate-line.ts';
import type { Invoice, InvoiceLine } from './types.ts';
import { isMetered, type MeasuredUsage, type MissingUsage, readUsages } from './usage.ts';

/** Metered values from the start of each line's full period to the line's end, by line. */
export interface ReadQuantities {
  readAtMs: number;
  values: ReadonlyMap<string, MeasuredUsage | MissingUsage>;
}

/** Reads what the invoice's lines bill. Nothing is stored. */
export async function readQuantities(
  deps: RecordsDeps,
  scope: CustomerScope,
  invoice: Invoice,
  lines: readonly InvoiceLine[],
): Promise<ReadQuantities> {
  // Before the reading: an event that is stored while it runs may be counted, and is then looked at again as late.
  const readAtMs = scope.clock.nowMs();
  const metered = lines.filter((line) => line.deletedAtMs === undefined && isMetered(line));
  const asked = metered.map(({ featureId, name, fullServicePeriod, servicePeriod }) => ({
    featureId,
    name,
    period: { fromMs: fullServicePeriod.fromMs, toMs: servicePeriod.toMs },
  }));
  const values = new Map<string, MeasuredUsage | MissingUsage>();
  for (const [index, value] of (await readUsages(deps, scope, invoice.customerId, asked)).entries()) {
    const line = metered[index];
    if (line !== undefined) values.set(line.id, value);
  }
  return { readAtMs, values };
}

/** What the earlier parts of a line's period come to. */
export interface EarlierParts {
  quantity: string;
  netAmount: string;
  /** What of it was billed to reach the minimum. */
  minimumAmount: string;
  /** An earlier part has no quantity yet: this one cannot tell what is left for it. */
  isWaiting: boolean;
}

/** @param known lines that stand in for those that are stored, by id: what a preview knows of drafts */
export async function earlierParts(
  scope: CustomerScope,
  line: InvoiceLine,
  known: ReadonlyMap<string, InvoiceLine> = new Map(),
): Promise<EarlierParts> {
  const isFirst = line.splitPosition === 'single' || line.splitPosition === 'first';
  if (isFirst || line.chargeId === undefined) {
    return { quantity: '0', netAmount: '0', minimumAmount: '0', isWaiting: false };
  }
  const stored = await lineRepository(scope).ofCharge(line.chargeId);
  const parts = stored.map((part) => ({ ...part, ...known.get(part.id) }));
  const earlier = parts.filter(
    (other) =>
      other.id !== line.id &&
      other.kind === 'charge' &&
      !isTakenBack(other) &&
      isBefore(other.servicePeriod, line.servicePeriod),
  );
  const standing = earlier.filter((other) => !isLineLetOff(other));
  return {
    // What was taken once is gone, also where its invoice was deleted: it must not come up again.
    quantity: sumOf(earlier.map((other) => other.quantity ?? '0')),
    netAmount: sumOf(standing.map(netOf)),
    minimumAmount: sumOf(standing.map((other) => other.rated?.totals.chargesTotal ?? '0')),
    isWaiting: standing.some((other) => other.quantity === undefined),
  };
}

/** A part of a period comes after the parts before it: without their quantities nobody knows what is left for it. */
export async function waitsForEarlierPart(
  scope: CustomerScope,
  lines: readonly InvoiceLine[],
  known?: ReadonlyMap<string, InvoiceLine>,
): Promise<boolean> {
  for (const line of lines) {
    if (line.deletedAtMs === undefined && (await earlierParts(scope, line, known)).isWaiting) return true;
  }
  return false;
}

/**
 * Parts follow each other. The last one may be empty, and begin before the end of the part before it: the subscription
 * has ended in its last seconds.
 */
function isBefore(other: Period, own: Period): boolean {
  return other.fromMs < own.fromMs || other.toMs <= own.fromMs;
}

/**
 * The quantity of a part: what the period has come to by its end, less what earlier parts have billed. Events that
 * arrived late in an earlier part are billed with this one. Where events were voided there may be less than was billed:
 * then this part bills nothing, and the difference is an adjustment.
 */
export function quantityOfPart(valueAtEnd: string, ofEarlier: string): string {
  const quantity = differenceOf(valueAtEnd, ofEarlier);
  return isNegative(quantity) ? '0' : quantity;
}
