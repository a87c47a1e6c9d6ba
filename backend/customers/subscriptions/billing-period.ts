import {
  durationFrom,
  intersection,
  type OpenPeriod,
  type Period,
  periodAt,
  recurrence,
} from '../../platform/period/index.ts';
import { phaseAt, placePhases } from './phases.ts';
import type { Subscription } from './types.ts';

type Billed = Pick<Subscription, 'activeFromMs' | 'activeToMs' | 'phases' | 'billingAnchorMs' | 'billingCadence'>;

/**
 * The billing period of an instant: that of the recurrence from the anchor, cut to the phase, so that no invoice spans
 * two phases. At the end of the subscription, where no phase is in force, the last phase's.
 */
export function billingPeriodAt(subscription: Billed, atMs: number): Period | undefined {
  const phase = phaseAt(subscription, atMs) ?? endingPhase(subscription, atMs);
  return phase && billingPeriodWithin(subscription, phase, atMs);
}

/** The billing period of an instant in a phase that is already known. */
export function billingPeriodWithin(
  { billingAnchorMs, billingCadence }: Pick<Billed, 'billingAnchorMs' | 'billingCadence'>,
  phase: OpenPeriod,
  atMs: number,
): Period | undefined {
  return intersection(periodAt(recurrence(billingAnchorMs, durationFrom(billingCadence)), atMs), phase);
}

function endingPhase(subscription: Billed, atMs: number): OpenPeriod | undefined {
  if (subscription.activeToMs === undefined || atMs < subscription.activeToMs) return undefined;
  return placePhases(subscription).findLast((phase) => phase.fromMs < (subscription.activeToMs ?? 0));
}
