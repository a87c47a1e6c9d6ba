import { addDuration, contains, durationFrom, type OpenPeriod } from '../../platform/period/index.ts';
import type { Subscription, SubscriptionPhase, SubscriptionStatus } from './types.ts';

type Timed = Pick<Subscription, 'activeFromMs' | 'activeToMs'>;

/** A phase and when it is in force. Phases after the end of the subscription have no length. */
export interface PlacedPhase extends OpenPeriod {
  phase: SubscriptionPhase;
}

/** When the phase begins, whether or not the subscription lasts as long. */
export function plannedStartMs(subscription: Timed, phase: Pick<SubscriptionPhase, 'startAfter'>): number {
  return addDuration(subscription.activeFromMs, durationFrom(phase.startAfter));
}

/** The phases in the order of time, each ending where the next one begins, all cut to the subscription. */
export function placePhases(subscription: Timed & Pick<Subscription, 'phases'>): PlacedPhase[] {
  const endMs = subscription.activeToMs ?? Number.POSITIVE_INFINITY;
  return subscription.phases.map((phase, index) => {
    const next = subscription.phases[index + 1];
    const fromMs = Math.min(plannedStartMs(subscription, phase), endMs);
    const toMs = Math.min(next === undefined ? Number.POSITIVE_INFINITY : plannedStartMs(subscription, next), endMs);
    return { phase, fromMs, toMs: Number.isFinite(toMs) ? toMs : undefined };
  });
}

/** The phase in force; undefined outside the subscription. */
export function phaseAt(subscription: Timed & Pick<Subscription, 'phases'>, atMs: number): PlacedPhase | undefined {
  return placePhases(subscription).find((phase) => contains(phase, atMs));
}

/** Source: OpenMeter, openmeter/subscription/subscription.go, GetStatusAt. */
export function statusAt(subscription: Timed & Pick<Subscription, 'deletedAtMs'>, atMs: number): SubscriptionStatus {
  const { activeFromMs, activeToMs, deletedAtMs } = subscription;
  if (deletedAtMs !== undefined && deletedAtMs <= atMs) return 'inactive';
  if (atMs < activeFromMs) return 'scheduled';
  if (activeToMs === undefined) return 'active';
  return atMs < activeToMs ? 'canceled' : 'inactive';
}
