import { type Addon, addonStatusAt } from '../addons/index.ts';
import {
  type CatalogIssue,
  cadencesAlign,
  isPriced,
  issue,
  type Phase,
  type RateCard,
  type References,
} from '../product-catalog/index.ts';
import { findOverlayIssues } from './overlay-rules.ts';
import type { PlanAddonTerms } from './plan-addon-types.ts';
import type { Plan } from './types.ts';

/**
 * Why an add-on does not fit a plan. Fields are paths in the assignment, `addon.` leading into the add-on. Source:
 * OpenMeter openmeter/productcatalog/planaddon.go.
 */
export function findPlanAddonIssues(
  terms: Pick<PlanAddonTerms, 'fromPlanPhase' | 'maxQuantity'>,
  plan: Plan,
  addon: Addon,
  { references, atMs }: { references: References; atMs: number },
): CatalogIssue[] {
  const isActive = addon.deletedAt === undefined && addonStatusAt(addon, atMs) === 'active';
  const hasNoEnd = addon.effectiveTo === undefined;
  const isSingle = addon.instanceType === 'single';
  const phases = phasesFrom(plan, terms.fromPlanPhase);
  return [
    ...(isActive && hasNoEnd ? [] : [issue('plan_addon_incompatible_status', 'addon.status')]),
    ...(isSingle && terms.maxQuantity !== undefined
      ? [issue('plan_addon_max_quantity_must_not_be_set', 'max_quantity')]
      : []),
    ...(phases === undefined ? [issue('plan_addon_unknown_plan_phase_key', 'from_plan_phase')] : []),
    ...cadenceIssues(plan, addon),
    ...findPlanAddonCurrencyIssues(terms, plan, addon, references),
    ...unique((phases ?? []).flatMap((phase) => overlayIssues(phase, addon))),
  ];
}

/** The phases in which the add-on can be had; undefined when the plan has no such phase. */
function phasesFrom(plan: Plan, key: string): readonly Phase[] | undefined {
  const first = plan.phases.findIndex((phase) => phase.key === key);
  return first < 0 ? undefined : plan.phases.slice(first);
}

function cadenceIssues(plan: Plan, { rateCards }: Addon): CatalogIssue[] {
  return rateCards.flatMap((card, index) => {
    const cadence = card.billingCadence;
    if (!isPriced(card) || cadence === undefined || cadencesAlign(plan.billingCadence, cadence)) return [];
    return [issue('rate_card_billing_cadence_unaligned', `addon.rate_cards.${index}.billing_cadence`)];
  });
}

/** Each card of the add-on that meets a card of the same key. */
function overlayIssues(phase: Phase, addon: Addon): CatalogIssue[] {
  const byKey = new Map(phase.rateCards.map((card) => [card.key, card]));
  return addon.rateCards.flatMap((card, index) => {
    const base = byKey.get(card.key);
    return base === undefined ? [] : findOverlayIssues(base, card, `addon.rate_cards.${index}`);
  });
}

/** What is wrong with the currencies; unlike the rest this is refused at once: no change of the plan's phases mends it. */
export function findPlanAddonCurrencyIssues(
  { fromPlanPhase }: Pick<PlanAddonTerms, 'fromPlanPhase'>,
  plan: Plan,
  addon: Addon,
  references: References,
): CatalogIssue[] {
  const isCustom = (code: string) => references.currencies.get(code)?.isCustom === true;
  const issues: CatalogIssue[] = [];
  if (!isCustom(plan.currency) && !isCustom(addon.currency) && plan.currency !== addon.currency) {
    issues.push(issue('plan_multiple_fiat_currencies', 'addon.currency'));
  }
  for (const phase of phasesFrom(plan, fromPlanPhase) ?? []) {
    const byKey = new Map(phase.rateCards.map((card) => [card.key, card]));
    for (const [index, card] of addon.rateCards.entries()) {
      if (!isPriced(card)) continue;
      const field = `addon.rate_cards.${index}.currency`;
      const found = cardCurrencyIssue(card, byKey.get(card.key), { plan, addon, references }, field);
      if (found !== undefined) issues.push(found);
    }
  }
  return unique(issues);
}

function cardCurrencyIssue(
  card: RateCard,
  base: RateCard | undefined,
  { plan, addon, references }: { plan: Plan; addon: Addon; references: References },
  field: string,
): CatalogIssue | undefined {
  const code = card.currency ?? addon.currency;
  const facts = references.currencies.get(code);
  if (base !== undefined && isPriced(base)) {
    return code === (base.currency ?? plan.currency) ? undefined : issue('plan_addon_currency_mismatch', field);
  }
  if (code === plan.currency) return undefined;
  if (references.currencies.get(plan.currency)?.isCustom)
    return issue('rate_card_currency_override_not_allowed', field);
  if (!facts?.isCustom) return issue('plan_multiple_fiat_currencies', field);
  const needsCostBasis = plan.settlementMode === 'credit_then_invoice';
  return needsCostBasis && !facts.costBases.has(plan.currency)
    ? issue('currency_cost_basis_not_found', field)
    : undefined;
}

/** A card meets the same card in several phases: one issue tells it. */
function unique(issues: readonly CatalogIssue[]): CatalogIssue[] {
  return [...new Map(issues.map((found) => [`${found.code} ${found.field}`, found])).values()];
}
