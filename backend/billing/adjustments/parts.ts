/**
 * A charge that was billed in parts, of which a person has given some a price or discounts of their own: what has changed in
 * a part is corrected at the price of that part. Pure.
 */

import { differenceOf, isNegative, sumOf } from '../../platform/decimal-texts.ts';
import type { NewId } from '../../platform/ids.ts';
import type { Currency } from '../../platform/money.ts';
import type { Period } from '../../platform/period/index.ts';
import type { Charge } from '../charges/index.ts';
import {
  billedTerms,
  isLineLetOff,
  type LineOfCharge,
  netOf,
  quantityOfPart,
  rateLine,
} from '../invoice-records/index.ts';
import type { Adjustment } from './types.ts';

/**
 * Whether a unit costs something else in one part than in another one, as where a part was let off.
 * @param lines the parts, in order
 */
export function differInPrice(lines: readonly LineOfCharge[]): boolean {
  const isPriced = (line: LineOfCharge) =>
    isLineLetOff(line) || line.overrides?.fields.some((field) => field === 'price' || field === 'discounts') === true;
  return lines.length > 1 && lines.some(isPriced);
}

/** The periods from the start of what is billed to the end of each part. */
export function upToParts(lines: readonly LineOfCharge[], { fromMs, toMs }: Period): Period[] {
  return lines.map(({ servicePeriod }) => ({ fromMs, toMs: Math.min(servicePeriod.toMs, toMs) }));
}

/** The quantity of each part, from what has been used by its end. */
export function partsOf(valuesAtEnds: readonly string[]): string[] {
  const parts: string[] = [];
  for (const value of valuesAtEnds) parts.push(quantityOfPart(value, sumOf(parts)));
  return parts;
}

/**
 * The quantities of the parts as they were last counted.
 * @param before their sum; a difference that was not told by parts is the last one's
 */
export function partsBefore(lines: readonly LineOfCharge[], earlier: readonly Adjustment[], before: string): string[] {
  const told = earlier.findLast(({ partsAfter }) => partsAfter?.length === lines.length)?.partsAfter;
  const parts = told ?? lines.map(({ quantity = '0' }) => quantity);
  const last = differenceOf(before, sumOf(parts.slice(0, -1)));
  return [...parts.slice(0, -1), isNegative(last) ? '0' : last];
}

/** What all parts come to together, each rated as its invoice rates it. What was let off is counted, and costs nothing. */
export function costOfParts(
  lines: readonly LineOfCharge[],
  quantities: readonly string[],
  { charge, currency, newId }: { charge: Charge; currency: Currency; newId: NewId },
): string {
  const sums = { quantity: '0', net: '0', minimum: '0' };
  for (const [index, line] of lines.entries()) {
    const quantity = quantities[index] ?? '0';
    const { rated: _, ...unrated } = line;
    const rated = rateLine(
      {
        ...unrated,
        terms: billedTerms(line, charge, charge.terms, currency),
        quantity,
        previousQuantity: sums.quantity,
        previouslyBilledAmount: sums.net,
        previousMinimumAmount: sums.minimum,
      },
      currency,
      newId,
    );
    sums.quantity = sumOf([sums.quantity, quantity]);
    if (isLineLetOff(line)) continue;
    sums.net = sumOf([sums.net, netOf({ rated })]);
    sums.minimum = sumOf([sums.minimum, rated.totals.chargesTotal]);
  }
  return sums.net;
}
