import type { EntitlementTemplate, RateCard, RateCardTerms } from '../../catalog/plans/index.ts';
import { chargesFee, chargesNothing, feeOf } from '../../catalog/rating/index.ts';
import { Decimal, formatDecimal } from '../../platform/decimal.ts';

/** An add-on's rate card and how many times it counts. */
export interface Contribution {
  rateCard: RateCard;
  quantity: number;
}

/**
 * The rate card that holds while add-ons are bought: limits and free units are added up, quantity times, and an add-on's
 * price by usage takes the place of a card's that is free. Flat fees of add-ons are no part of it: they are items of
 * their own, so that a fee that was paid in advance never changes.
 * @param base the plan's card; undefined where only add-ons have one with this key
 * @returns undefined when nothing but flat fees is left
 */
export function mergeRateCards(
  base: RateCard | undefined,
  contributions: readonly Contribution[],
): RateCard | undefined {
  return contributions.reduce<RateCard | undefined>((merged, { rateCard, quantity }) => {
    const own = withoutFlatFee(timesCard(rateCard, quantity));
    return merged === undefined ? meaningful(own) : addCard(merged, own);
  }, base);
}

/** The flat fee of an add-on's card alone, `quantity` times; undefined when it has none. */
export function flatFee(card: RateCard, quantity: number): RateCard | undefined {
  const { entitlement: _, ...fee } = card;
  const amount = feeOf(card.terms.price);
  if (amount === undefined) return undefined;
  return { ...fee, terms: { ...card.terms, price: { type: 'flat', amount: times(amount, quantity) } } };
}

/** Whether two cards say the same, in whatever order their fields were written. */
export function isSameCard(a: RateCard, b: RateCard): boolean {
  return canonical(a) === canonical(b);
}

/** Whether the same is charged for both: all but the access that they give. */
export function isChargedAlike(a: RateCard, b: RateCard): boolean {
  const { entitlement: _, ...charged } = a;
  const { entitlement: __, ...otherCharged } = b;
  return canonical(charged) === canonical(otherCharged);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

function withoutFlatFee(card: RateCard): RateCard {
  return chargesFee(card.terms.price) ? { ...card, terms: { ...card.terms, price: { type: 'free' } } } : card;
}

/** A card without price and access only stands for the fee that is an item of its own. */
function meaningful(card: RateCard): RateCard | undefined {
  return chargesNothing(card.terms.price) && card.entitlement === undefined ? undefined : card;
}

function timesCard(card: RateCard, quantity: number): RateCard {
  const { terms, entitlement } = card;
  const usage = terms.discounts?.usage;
  return {
    ...card,
    ...(usage !== undefined && {
      terms: { ...terms, discounts: { ...terms.discounts, usage: times(usage, quantity) } },
    }),
    ...(entitlement?.type === 'metered' &&
      entitlement.limit !== undefined && {
        entitlement: { ...entitlement, limit: times(entitlement.limit, quantity) },
      }),
  };
}

function addCard(base: RateCard, addon: RateCard): RateCard {
  const entitlement = addEntitlement(base.entitlement, addon.entitlement);
  const isPricedByAddon = chargesNothing(base.terms.price) && !chargesNothing(addon.terms.price);
  const billingCadence = isPricedByAddon ? addon.billingCadence : base.billingCadence;
  const featureId = base.featureId ?? addon.featureId;
  const { billingCadence: _, ...others } = base;
  return {
    ...others,
    ...(billingCadence !== undefined && { billingCadence }),
    ...(featureId !== undefined && { featureId }),
    ...(entitlement !== undefined && { entitlement }),
    terms: addTerms(base.terms, addon.terms, isPricedByAddon),
  };
}

function addTerms(base: RateCardTerms, addon: RateCardTerms, isPricedByAddon: boolean): RateCardTerms {
  if (isPricedByAddon) return { ...addon, ...discountsOf(base, addon) };
  return { ...base, ...discountsOf(base, addon) };
}

function discountsOf(base: RateCardTerms, addon: RateCardTerms): Pick<RateCardTerms, 'discounts'> {
  const [a, b] = [base.discounts, addon.discounts];
  const usage = a?.usage !== undefined && b?.usage !== undefined ? plus(a.usage, b.usage) : (a?.usage ?? b?.usage);
  const percentage = a?.percentage ?? b?.percentage;
  if (usage === undefined && percentage === undefined) return {};
  return {
    discounts: { ...(percentage !== undefined && { percentage }), ...(usage !== undefined && { usage }) },
  };
}

/** A limit that is missing is no limit, with or without an add-on's. */
function addEntitlement(
  base: EntitlementTemplate | undefined,
  addon: EntitlementTemplate | undefined,
): EntitlementTemplate | undefined {
  if (base?.type !== 'metered' || addon?.type !== 'metered') return base ?? addon;
  if (base.limit === undefined || addon.limit === undefined) return base;
  return { ...base, limit: plus(base.limit, addon.limit) };
}

function times(amount: string, quantity: number): string {
  return formatDecimal(new Decimal(amount).times(quantity));
}

function plus(a: string, b: string): string {
  return formatDecimal(new Decimal(a).plus(b));
}
