import type { Phase } from '../../catalog/plans/index.ts';
import type { NewId } from '../../platform/ids.ts';
import { type Duration, durationFrom, formatDuration, plusDuration } from '../../platform/period/index.ts';
import { ruleBroken } from './errors.ts';
import type { SubscriptionPhase } from './types.ts';

const NO_TIME: Duration = durationFrom('PT0S');

/**
 * The phases of a subscription to these phases of a plan: all rate cards copied.
 * @param startingPhase key of the phase to begin with; those before it get no time. Default: the first.
 * @throws DomainProblem 400 when there is no such phase
 */
export function agreePhases(
  phases: readonly Phase[],
  startingPhase: string | undefined,
  made: { newId: NewId; atMs: number },
): SubscriptionPhase[] {
  const startingIndex = startingPhase === undefined ? 0 : phases.findIndex(({ key }) => key === startingPhase);
  if (startingIndex < 0) throw unknownPhase('starting_phase', startingPhase ?? '', phases);
  let startAfter = NO_TIME;
  return phases.map((phase, index) => {
    const agreed = agreePhase(phase, formatDuration(startAfter), made);
    if (index >= startingIndex && phase.duration !== undefined) {
      startAfter = plusDuration(startAfter, durationFrom(phase.duration));
    }
    return agreed;
  });
}

/** One phase of a plan, to begin so long after the start of the subscription. */
export function agreePhase(
  phase: Phase,
  startAfter: string,
  { newId, atMs }: { newId: NewId; atMs: number },
): SubscriptionPhase {
  const { key, name, description, labels, rateCards } = phase;
  return {
    id: newId(),
    key,
    name,
    ...(description !== undefined && { description }),
    ...(labels !== undefined && { labels }),
    startAfter,
    items: rateCards.map((rateCard) => ({ rateCard })),
    createdAtMs: atMs,
    updatedAtMs: atMs,
  };
}

/** 400: the phase is not there. */
export function unknownPhase(field: string, key: string, phases: readonly { key: string }[]): Error {
  const known = phases.map((phase) => phase.key).join(', ');
  return ruleBroken('phase_not_found', field, `${field}: no phase ${JSON.stringify(key)}; there are ${known}`);
}
