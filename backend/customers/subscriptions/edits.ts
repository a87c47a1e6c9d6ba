import type { RateCard } from '../../catalog/plans/index.ts';
import type { NewId } from '../../platform/ids.ts';
import { addDuration, durationFrom, formatDuration, plusDuration } from '../../platform/period/index.ts';
import { unknownPhase } from './agreement.ts';
import { conflict, historyIsFixed, ruleBroken } from './errors.ts';
import { phaseAt, plannedStartMs } from './phases.ts';
import type { AgreedItem, Subscription, SubscriptionPhase } from './types.ts';

/** One change of what was agreed. They are applied in order, each to what the one before left. */
export type Edit =
  | { type: 'add_item'; phaseKey: string; rateCard: RateCard }
  | { type: 'remove_item'; phaseKey: string; itemKey: string }
  | { type: 'add_phase'; phase: NewPhase }
  | { type: 'remove_phase'; phaseKey: string; shift: 'next' | 'prev' }
  | { type: 'stretch_phase'; phaseKey: string; extendBy: string }
  | { type: 'unschedule_edit' };

export interface NewPhase {
  key: string;
  name: string;
  description?: string;
  /** ISO 8601 duration from the start of the subscription; undefined: when the edit takes effect. */
  startAfter?: string;
  /** How long until the next phase; those after it keep their distances. Not for a last phase. */
  duration?: string;
}

type Agreed = Pick<Subscription, 'activeFromMs' | 'activeToMs' | 'phases'>;

interface EditContext {
  /** When the edits take effect: nothing before it may change. */
  atMs: number;
  newId: NewId;
}

/**
 * The phases after the edits. Source of the rules: OpenMeter, openmeter/subscription/patch.
 * @throws DomainProblem 400 for what is not there, 403 for the past, 409 where phases would collide
 */
export function applyEdits(subscription: Agreed, edits: readonly Edit[], context: EditContext): SubscriptionPhase[] {
  let current = subscription;
  for (const edit of edits) current = { ...current, phases: applyEdit(current, edit, context) };
  const empty = current.phases.find((phase) => phase.items.length === 0);
  if (empty !== undefined) {
    throw ruleBroken(
      'subscription_phase_has_no_items',
      `phases.${empty.key}.items`,
      `phase ${empty.key} must have at least one item`,
    );
  }
  return [...current.phases];
}

function applyEdit(subscription: Agreed, edit: Edit, context: EditContext): SubscriptionPhase[] {
  switch (edit.type) {
    case 'add_item':
      return withPhase(subscription, edit.phaseKey, context, (phase, isCurrent) =>
        isCurrent ? replaceItem(phase, edit.rateCard, context.atMs) : addToFuture(phase, edit.rateCard),
      );
    case 'remove_item':
      return withPhase(subscription, edit.phaseKey, context, (phase, isCurrent) => {
        if (!phase.items.some((item) => item.rateCard.key === edit.itemKey)) {
          throw ruleBroken('item_not_found', 'item_key', `phase ${phase.key} has no item ${edit.itemKey}`);
        }
        return endItem(phase, edit.itemKey, isCurrent ? context.atMs : undefined);
      });
    case 'add_phase':
      return addPhase(subscription, edit.phase, context);
    case 'remove_phase':
      return removePhase(subscription, edit.phaseKey, edit.shift, context);
    case 'stretch_phase':
      return stretchPhase(subscription, edit.phaseKey, edit.extendBy, context);
    case 'unschedule_edit':
      return unscheduleEdits(subscription, context);
  }
}

function findPhase({ phases }: Agreed, key: string): SubscriptionPhase {
  const phase = phases.find((candidate) => candidate.key === key);
  if (phase === undefined) throw unknownPhase('phase_key', key, phases);
  return phase;
}

/** Changes the items of a phase that is in force or yet to come. */
function withPhase(
  subscription: Agreed,
  key: string,
  { atMs }: EditContext,
  change: (phase: SubscriptionPhase, isCurrent: boolean) => readonly AgreedItem[],
): SubscriptionPhase[] {
  const phase = findPhase(subscription, key);
  const isCurrent = phaseAt(subscription, atMs)?.phase.key === key;
  if (!isCurrent && plannedStartMs(subscription, phase) <= atMs) {
    throw historyIsFixed(`phase ${key} is over: its items cannot be changed`);
  }
  const items = change(phase, isCurrent);
  return subscription.phases.map((own) => (own.key === key ? { ...own, items, updatedAtMs: atMs } : own));
}

/** The item in force ends where the new one begins; what was scheduled for its key gives way. */
function replaceItem(phase: SubscriptionPhase, rateCard: RateCard, atMs: number): readonly AgreedItem[] {
  return [...endItem(phase, rateCard.key, atMs), { rateCard, fromMs: atMs }];
}

function addToFuture(phase: SubscriptionPhase, rateCard: RateCard): readonly AgreedItem[] {
  if (phase.items.some((item) => item.rateCard.key === rateCard.key)) {
    throw historyIsFixed(
      `phase ${phase.key} is yet to come and has an item ${rateCard.key} already: remove that first`,
    );
  }
  return [...phase.items, { rateCard }];
}

/** @param atMs undefined removes the item altogether */
function endItem(phase: SubscriptionPhase, key: string, atMs: number | undefined): AgreedItem[] {
  return phase.items.flatMap((item) => {
    if (item.rateCard.key !== key) return [item];
    if (atMs === undefined || (item.fromMs !== undefined && item.fromMs >= atMs)) return [];
    return [item.toMs !== undefined && item.toMs <= atMs ? item : { ...item, toMs: atMs }];
  });
}

function addPhase(subscription: Agreed, added: NewPhase, { atMs, newId }: EditContext): SubscriptionPhase[] {
  const { phases, activeFromMs, activeToMs } = subscription;
  if (phases.some(({ key }) => key === added.key)) throw conflict(`phase ${added.key} exists already`);
  if (added.startAfter === undefined) {
    throw ruleBroken(
      'phase_start_required',
      'phase.start_after',
      'start_after is required: a phase begins in the future',
    );
  }
  const startMs = addDuration(activeFromMs, durationFrom(added.startAfter));
  if (startMs <= atMs) throw historyIsFixed('a phase can only be added in the future');
  if (activeToMs !== undefined && startMs >= activeToMs) throw historyIsFixed('the subscription ends before the phase');
  const { key, name, description, startAfter } = added;
  const phase: SubscriptionPhase = {
    id: newId(),
    key,
    name,
    ...(description !== undefined && { description }),
    startAfter,
    items: [],
    createdAtMs: atMs,
    updatedAtMs: atMs,
  };
  const later = phases.filter((own) => plannedStartMs(subscription, own) >= startMs);
  return [...phases.filter((own) => !later.includes(own)), phase, ...moveAfter(phase, added.duration, later, atMs)];
}

/** The phases after a new one keep their distances; the first of them begins where the new one ends. */
function moveAfter(
  phase: SubscriptionPhase,
  duration: string | undefined,
  later: readonly SubscriptionPhase[],
  atMs: number,
): SubscriptionPhase[] {
  const [next] = later;
  if (next === undefined) return [];
  if (duration === undefined) {
    throw ruleBroken(
      'phase_duration_required',
      'phase.duration',
      `duration is required: phase ${next.key} comes after it`,
    );
  }
  const end = plusDuration(durationFrom(phase.startAfter), durationFrom(duration));
  const shift = plusDuration(end, durationFrom(next.startAfter), -1);
  return later.map((own) => shifted(own, shift, 1, atMs));
}

function removePhase(
  subscription: Agreed,
  key: string,
  shift: 'next' | 'prev',
  { atMs }: EditContext,
): SubscriptionPhase[] {
  const phase = findPhase(subscription, key);
  if (plannedStartMs(subscription, phase) <= atMs) throw historyIsFixed(`phase ${key} has begun and cannot be removed`);
  const index = subscription.phases.indexOf(phase);
  const next = subscription.phases[index + 1];
  const others = subscription.phases.filter((own) => own !== phase);
  if (shift === 'prev' || next === undefined) return others;
  const length = plusDuration(durationFrom(next.startAfter), durationFrom(phase.startAfter), -1);
  return others.map((own, position) => (position < index ? own : shifted(own, length, -1, atMs)));
}

function stretchPhase(subscription: Agreed, key: string, extendBy: string, { atMs }: EditContext): SubscriptionPhase[] {
  const { phases } = subscription;
  const phase = findPhase(subscription, key);
  const current = phaseAt(subscription, atMs);
  if (current !== undefined && plannedStartMs(subscription, phase) < current.fromMs) {
    throw historyIsFixed(`phase ${key} is over and cannot be extended`);
  }
  const index = phases.indexOf(phase);
  if (index === phases.length - 1) throw conflict(`phase ${key} is the last one: it lasts as long as the subscription`);
  const by = durationFrom(extendBy);
  const stretched = phases.map((own, position) => (position <= index ? own : shifted(own, by, 1, atMs)));
  const nextStartMs = plannedStartMs(subscription, stretched[index + 1] as SubscriptionPhase);
  if (nextStartMs <= plannedStartMs(subscription, phase)) throw conflict(`phase ${key} would disappear`);
  if (nextStartMs <= atMs) throw historyIsFixed(`phase ${key} would have ended in the past`);
  return stretched;
}

function shifted(
  phase: SubscriptionPhase,
  by: ReturnType<typeof durationFrom>,
  times: number,
  atMs: number,
): SubscriptionPhase {
  const startAfter = formatDuration(plusDuration(durationFrom(phase.startAfter), by, times));
  return { ...phase, startAfter, updatedAtMs: atMs };
}

/** Takes back what was scheduled for the phase in force: items that are yet to begin, and ends that are yet to come. */
function unscheduleEdits(subscription: Agreed, { atMs }: EditContext): SubscriptionPhase[] {
  const current = phaseAt(subscription, atMs);
  if (current === undefined) throw conflict('no phase is in force: there are no edits to take back');
  return subscription.phases.map((phase) => {
    if (phase !== current.phase) return phase;
    const items = phase.items
      .filter((item) => item.fromMs === undefined || item.fromMs <= atMs)
      .map((item) => {
        const { toMs, ...others } = item;
        return toMs !== undefined && toMs > atMs ? others : item;
      });
    return { ...phase, items, updatedAtMs: atMs };
  });
}
