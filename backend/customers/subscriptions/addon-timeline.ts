import { contains, isEmpty, type OpenPeriod } from '../../platform/period/index.ts';
import type { AddonQuantity, PurchasedAddon } from './types.ts';

/** A stretch of time in which an add-on counts so many times. */
export interface AddonSegment extends OpenPeriod {
  quantity: number;
}

/** The quantities over time, cut to the subscription. */
export function addonSegments(
  { timeline }: Pick<PurchasedAddon, 'timeline'>,
  endMs: number | undefined,
): AddonSegment[] {
  return timeline
    .map(({ fromMs, quantity }, index) => {
      const toMs = Math.min(timeline[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY, endMs ?? Number.POSITIVE_INFINITY);
      return { fromMs, toMs: Number.isFinite(toMs) ? toMs : undefined, quantity };
    })
    .filter((segment) => !isEmpty(segment));
}

/**
 * From the instant on, the add-on counts so many times. What was set for later instants stays, what was before it too.
 * Steps that change nothing are left out.
 */
export function withQuantity(timeline: readonly AddonQuantity[], fromMs: number, quantity: number): AddonQuantity[] {
  const others = timeline.filter((step) => step.fromMs !== fromMs);
  const steps = [...others, { fromMs, quantity }].sort((a, b) => a.fromMs - b.fromMs);
  return steps.filter((step, index) => index === 0 || steps[index - 1]?.quantity !== step.quantity);
}

/**
 * The quantity that an answer shows, which is never zero: the one at the instant; of an add-on that is yet to begin the
 * first one, of one that was given up the last one, each with the instant at which it holds.
 */
export function quantityShown(segments: readonly AddonSegment[], atMs: number): { quantity: number; atMs: number } {
  const counting = segments.filter(({ quantity }) => quantity > 0);
  const current = counting.find((segment) => contains(segment, atMs));
  if (current !== undefined) return { quantity: current.quantity, atMs };
  const other = counting.find((segment) => segment.fromMs > atMs) ?? counting.at(-1);
  return { quantity: other?.quantity ?? 1, atMs: other?.fromMs ?? atMs };
}
