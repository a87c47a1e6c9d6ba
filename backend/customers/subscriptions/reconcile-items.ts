import type { NewId } from '../../platform/ids.ts';
import { type EffectiveItem, effectiveItems } from './effective-items.ts';
import { isSameCard } from './merge-rate-card.ts';
import type { Subscription, SubscriptionItem } from './types.ts';

/**
 * The items of the subscription as it is now: those that begin where they began and say what they said keep their
 * version and id, whatever became of their end; what is new gets versions that nothing had before; what is gone stays,
 * marked, so that its version comes back with it (a cancelation that is taken back). Doing it twice changes nothing.
 */
export function reconcileItems(
  subscription: Omit<Subscription, 'items'>,
  before: readonly SubscriptionItem[],
  newId: NewId,
): SubscriptionItem[] {
  const unmatched = new Set(before);
  const now: SubscriptionItem[] = [];
  const lastOfKey = new Map<string, SubscriptionItem>();
  for (const target of effectiveItems(subscription)) {
    const found = [...unmatched].find((item) => isSameItem(item, target));
    if (found !== undefined) unmatched.delete(found);
    const group = `${target.phaseKey}/${target.itemKey}`;
    const version = found?.version ?? nextVersion([...before, ...now], target);
    const previous = lastOfKey.get(group);
    const { continuesCharges, ...stretch } = target;
    const billedAs = continuesCharges && previous !== undefined ? previous.billedAs : version;
    const rateCard = found?.rateCard ?? target.rateCard;
    const item = { ...stretch, rateCard, id: found?.id ?? newId(), version, billedAs, isRemoved: false };
    lastOfKey.set(group, item);
    now.push(item);
  }
  return [...now, ...[...unmatched].map((item) => ({ ...item, isRemoved: true }))];
}

function isSameItem(item: SubscriptionItem, target: EffectiveItem): boolean {
  return (
    item.phaseKey === target.phaseKey &&
    item.itemKey === target.itemKey &&
    item.fromMs === target.fromMs &&
    isSameCard(item.rateCard, target.rateCard)
  );
}

function nextVersion(items: readonly SubscriptionItem[], target: EffectiveItem): number {
  const versions = items
    .filter((item) => item.phaseKey === target.phaseKey && item.itemKey === target.itemKey)
    .map((item) => item.version);
  return Math.max(-1, ...versions) + 1;
}
