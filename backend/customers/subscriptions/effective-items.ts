import type { RateCard } from '../../catalog/plans/index.ts';
import { isEmpty, type OpenPeriod } from '../../platform/period/index.ts';
import { feeLayers, quantityAt } from './addon-fees.ts';
import { flatFee, isChargedAlike, isSameCard, mergeRateCards } from './merge-rate-card.ts';
import { type PlacedPhase, placePhases } from './phases.ts';
import type { AgreedItem, PurchasedAddon, Subscription } from './types.ts';

/** A stretch of time with the rate card that is in force in it. */
export interface EffectiveItem extends OpenPeriod {
  phaseKey: string;
  itemKey: string;
  rateCard: RateCard;
  /** The stretch before it charges the same and is followed by this one: only access changed. */
  continuesCharges: boolean;
}

type Agreed = Pick<Subscription, 'activeFromMs' | 'activeToMs' | 'phases' | 'addons'>;

/**
 * What is in force when: for each phase and key the stretches of time between two changes, with what add-ons add to
 * it; and the flat fees of add-ons, each an item of its own beside them.
 */
export function effectiveItems(subscription: Agreed): EffectiveItem[] {
  return placePhases(subscription).flatMap((phase) => {
    if (isEmpty(phase)) return [];
    const addonCards = subscription.addons.flatMap((addon) => addon.rateCards.map(({ key }) => key));
    const keys = new Set([...phase.phase.items.map((item) => item.rateCard.key), ...addonCards]);
    return [...keys].flatMap((key) => [
      ...itemsOfKey(phase, key, subscription.addons),
      ...subscription.addons.flatMap((addon) => feesOfKey(phase, key, addon)),
    ]);
  });
}

function itemsOfKey(phase: PlacedPhase, key: string, addons: readonly PurchasedAddon[]): EffectiveItem[] {
  const agreed = phase.phase.items.filter((item) => item.rateCard.key === key);
  const bought = addons.filter((addon) => addon.rateCards.some((card) => card.key === key));
  const starts = changesWithin(phase, agreed, bought);
  const items: EffectiveItem[] = [];
  let baseBefore: AgreedItem | undefined;
  for (const [index, fromMs] of starts.entries()) {
    const base = agreedAt(phase, agreed, fromMs);
    const contributions = bought.flatMap((addon) => contributionsAt(addon, key, fromMs));
    const rateCard = mergeRateCards(base?.rateCard, contributions);
    if (rateCard !== undefined) {
      const toMs = starts[index + 1] ?? phase.toMs;
      append(items, { phaseKey: phase.phase.key, itemKey: key, rateCard, fromMs, toMs }, base === baseBefore);
    }
    baseBefore = base;
  }
  return items;
}

/** The instants within the phase at which something about the key may change; the phase's start is the first. */
function changesWithin(
  phase: PlacedPhase,
  agreed: readonly AgreedItem[],
  bought: readonly PurchasedAddon[],
): readonly number[] {
  const changes = [
    ...agreed.flatMap((item) => [item.fromMs, item.toMs]),
    ...bought.flatMap((addon) => addon.timeline.map(({ fromMs }) => fromMs)),
  ];
  const within = changes.filter((atMs): atMs is number => {
    return atMs !== undefined && atMs > phase.fromMs && (phase.toMs === undefined || atMs < phase.toMs);
  });
  return [...new Set([phase.fromMs, ...within])].sort((a, b) => a - b);
}

function agreedAt(phase: PlacedPhase, agreed: readonly AgreedItem[], atMs: number): AgreedItem | undefined {
  return agreed.find((item) => {
    return (item.fromMs ?? phase.fromMs) <= atMs && (item.toMs === undefined || atMs < item.toMs);
  });
}

function contributionsAt(addon: PurchasedAddon, key: string, atMs: number) {
  const rateCard = addon.rateCards.find((card) => card.key === key);
  const quantity = quantityAt(addon, atMs);
  return rateCard === undefined || quantity === 0 ? [] : [{ rateCard, quantity }];
}

function append(items: EffectiveItem[], item: Omit<EffectiveItem, 'continuesCharges'>, hasSameBase: boolean): void {
  const last = items.at(-1);
  const follows = hasSameBase && last !== undefined && last.toMs === item.fromMs;
  if (follows && isSameCard(last.rateCard, item.rateCard)) items[items.length - 1] = { ...last, toMs: item.toMs };
  else items.push({ ...item, continuesCharges: follows && isChargedAlike(last.rateCard, item.rateCard) });
}

/**
 * A recurring fee runs in every phase while the add-on counts. A one-time fee is owed in the phase in which it was
 * bought and stays owed when the add-on is given up.
 */
function feesOfKey(phase: PlacedPhase, key: string, addon: PurchasedAddon): EffectiveItem[] {
  const card = addon.rateCards.find((candidate) => candidate.key === key);
  if (card === undefined) return [];
  const isOneTime = card.billingCadence === undefined;
  return feeLayers(addon).flatMap((layer) => {
    const fee = flatFee(card, layer.quantity);
    const toMs = isOneTime
      ? phase.toMs
      : Math.min(layer.toMs ?? Number.POSITIVE_INFINITY, phase.toMs ?? Number.POSITIVE_INFINITY);
    const item = {
      phaseKey: phase.phase.key,
      itemKey: key,
      fromMs: Math.max(layer.fromMs, phase.fromMs),
      toMs: toMs === Number.POSITIVE_INFINITY ? undefined : toMs,
    };
    if (fee === undefined || isEmpty(item) || (isOneTime && layer.fromMs < phase.fromMs)) return [];
    return [{ ...item, rateCard: fee, continuesCharges: false }];
  });
}
