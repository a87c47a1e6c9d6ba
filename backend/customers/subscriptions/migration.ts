import type { Phase } from '../../catalog/plans/index.ts';
import type { NewId } from '../../platform/ids.ts';
import { durationFrom, formatDuration, plusDuration } from '../../platform/period/index.ts';
import { agreePhase, unknownPhase } from './agreement.ts';
import { conflict } from './errors.ts';
import { isSameCard } from './merge-rate-card.ts';
import { phaseAt, plannedStartMs } from './phases.ts';
import type { AgreedItem, Subscription, SubscriptionPhase } from './types.ts';

/**
 * The phases of a subscription that goes on with another version of its plan. What is over stays; in the phase in force
 * items that say the same go on untouched, others end and new ones begin; phases to come are those of the new version.
 * @throws DomainProblem 400 when the new version lacks the phase in force, 409 when that would be over already
 */
export function migratePhases(
  subscription: Pick<Subscription, 'activeFromMs' | 'activeToMs' | 'phases'>,
  target: readonly Phase[],
  made: { newId: NewId; atMs: number },
): SubscriptionPhase[] {
  const current = phaseAt(subscription, made.atMs)?.phase;
  if (current === undefined) throw conflict('no phase is in force');
  const index = target.findIndex(({ key }) => key === current.key);
  const counterpart = target[index];
  if (counterpart === undefined) throw unknownPhase('starting_phase', current.key, target);
  const over = subscription.phases.slice(0, subscription.phases.indexOf(current));
  const changed = { ...current, items: migrateItems(current, counterpart, made.atMs), updatedAtMs: made.atMs };
  const phases = [...over, changed, ...comingPhases(subscription, current, target.slice(index), made)];
  const next = phases[over.length + 1];
  if (next !== undefined && plannedStartMs(subscription, next) <= made.atMs) {
    throw conflict(`phase ${current.key} would be over in that version: name a starting_phase`);
  }
  return phases;
}

function migrateItems(phase: SubscriptionPhase, target: Phase, atMs: number): AgreedItem[] {
  const isInForce = (item: AgreedItem) =>
    (item.fromMs === undefined || item.fromMs <= atMs) && (item.toMs === undefined || item.toMs > atMs);
  const kept = (item: AgreedItem) => target.rateCards.some((card) => isSameCard(card, item.rateCard));
  const before = phase.items.flatMap((item): AgreedItem[] => {
    if (item.fromMs !== undefined && item.fromMs > atMs) return [];
    if (!isInForce(item)) return [item];
    if (!kept(item)) return [{ ...item, toMs: atMs }];
    const { toMs: _, ...endless } = item;
    return [endless];
  });
  const begun = before.filter((item) => item.fromMs !== atMs || item.toMs !== atMs);
  const added = target.rateCards.filter(
    (card) => !phase.items.some((item) => isInForce(item) && isSameCard(card, item.rateCard)),
  );
  return [...begun, ...added.map((rateCard) => ({ rateCard, fromMs: atMs }))];
}

/** @param target the phase in force and those after it */
function comingPhases(
  { phases }: Pick<Subscription, 'phases'>,
  current: SubscriptionPhase,
  target: readonly Phase[],
  made: { newId: NewId; atMs: number },
): SubscriptionPhase[] {
  let startAfter = durationFrom(current.startAfter);
  return target.slice(1).map((phase, position) => {
    startAfter = plusDuration(startAfter, durationFrom(target[position]?.duration ?? 'PT0S'));
    const agreed = agreePhase(phase, formatDuration(startAfter), made);
    const before = phases.find(({ key }) => key === phase.key);
    return before === undefined ? agreed : { ...agreed, id: before.id, createdAtMs: before.createdAtMs };
  });
}
