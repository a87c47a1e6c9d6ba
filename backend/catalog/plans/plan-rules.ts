import {
  type CatalogIssue,
  cadencesAlign,
  findCurrencyIssues,
  findRateCardIssues,
  isAtLeastAnHour,
  isPriced,
  issue,
  type Phase,
  type References,
} from '../product-catalog/index.ts';
import type { Plan } from './types.ts';

/** The cadences in which invoices can be made. Source: OpenMeter openmeter/productcatalog/errors.go. */
export const PLAN_CADENCES: readonly string[] = ['P1W', 'P2W', 'P4W', 'P1M', 'P3M', 'P6M', 'P12M', 'P1Y'];

/** What of the plan the rules look at. */
type JudgedPlan = Pick<Plan, 'currency' | 'billingCadence' | 'settlementMode' | 'phases'>;

/** All that keeps a plan from being published, but for its add-ons. Source: OpenMeter openmeter/productcatalog/plan.go. */
export function findPlanIssues(plan: JudgedPlan, references: References): CatalogIssue[] {
  const isCadenceKnown = PLAN_CADENCES.includes(plan.billingCadence);
  return [
    ...findCurrencyIssues(plan.currency, references),
    ...(isCadenceKnown ? [] : [issue('plan_billing_cadence_invalid', 'billing_cadence', { choices: PLAN_CADENCES })]),
    ...phaseKeyIssues(plan.phases),
    ...plan.phases.flatMap((phase, index) => [
      ...durationIssues(phase, index, plan.phases.length),
      ...cardIssues(plan, phase, index, references),
    ]),
  ];
}

function phaseKeyIssues(phases: readonly Phase[]): CatalogIssue[] {
  const keys = new Set<string>();
  return phases.flatMap(({ key }, index) => {
    const isTaken = keys.has(key);
    keys.add(key);
    return isTaken ? [issue('plan_phase_duplicated_key', `phases.${index}.key`)] : [];
  });
}

function durationIssues({ duration }: Phase, index: number, count: number): CatalogIssue[] {
  const field = `phases.${index}.duration`;
  const isLast = index === count - 1;
  if (duration === undefined) return isLast ? [] : [issue('plan_has_non_last_phase_with_no_duration', field)];
  return [
    ...(isLast ? [issue('plan_has_last_phase_with_duration', field)] : []),
    ...(isAtLeastAnHour(duration) ? [] : [issue('plan_phase_duration_less_then_an_hour', field)]),
  ];
}

function cardIssues(plan: JudgedPlan, { rateCards }: Phase, index: number, references: References): CatalogIssue[] {
  const path = `phases.${index}.rate_cards`;
  if (rateCards.length === 0) return [issue('plan_phase_has_no_rate_cards', path)];
  const { currency, settlementMode, billingCadence } = plan;
  const unaligned = rateCards.flatMap((card, cardIndex) => {
    const cadence = card.billingCadence;
    if (!isPriced(card) || cadence === undefined || cadencesAlign(billingCadence, cadence)) return [];
    const attributes = { plan_billing_cadence: billingCadence, rate_card_billing_cadence: cadence };
    return [issue('rate_card_billing_cadence_unaligned', `${path}.${cardIndex}.billing_cadence`, attributes)];
  });
  return [...findRateCardIssues(rateCards, { path, currency, settlementMode, references }), ...unaligned];
}
