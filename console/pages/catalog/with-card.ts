import type { RateCard } from '../../api/plans.ts';

/**
 * Rate cards with one more, or one in the place of another.
 * @param replacedKey of the card whose place it takes; none: it is new
 */
export function withCard(cards: readonly RateCard[], card: RateCard, replacedKey: string | undefined): RateCard[] {
  const isThere = cards.some(({ key }) => key === replacedKey);
  return isThere ? cards.map((old) => (old.key === replacedKey ? card : old)) : [...cards, card];
}
