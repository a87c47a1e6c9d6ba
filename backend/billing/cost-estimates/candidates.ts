import type { Currencies } from '../../catalog/currencies/index.ts';
import type { Feature, Features } from '../../catalog/features/index.ts';
import type { Plan, Plans } from '../../catalog/plans/index.ts';
import { type RateCard, toRateCard } from '../../catalog/product-catalog/index.ts';
import type { Currency } from '../../platform/money.ts';
import type { Scope } from '../../platform/scope.ts';
import { estimateProblem } from './errors.ts';
import type { EstimateRequest } from './schema.ts';

/** A rate card to estimate. */
export interface Candidate {
  card: RateCard;
  currency: Currency;
  feature: Feature | undefined;
  /** Whether a flat fee for a part of its period is a part of the fee. */
  isProrated: boolean;
  /** Where the card stands in the request: "rate_card", or "plan.phases.0.rate_cards.2". */
  path: string;
}

export interface CandidateSources {
  scope: Scope;
  features: Pick<Features, 'findByIds'>;
  currencies: Pick<Currencies, 'find'>;
  plans: Pick<Plans, 'findByIds'>;
}

/** The rate cards that a request asks about. @throws RequestProblem 400 for what does not exist */
export async function findCandidates(request: EstimateRequest, sources: CandidateSources): Promise<Candidate[]> {
  const cards = request.plan === undefined ? inlineCard(request) : await cardsOfPlan(request.plan, sources);
  const featureIds = cards.flatMap(({ card }) => card.featureId ?? []);
  const features = await sources.features.findByIds(featureIds, sources.scope);
  const candidates: Candidate[] = [];
  for (const { card, currencyCode, currencyField, isProrated, path } of cards) {
    const currency = await sources.currencies.find(card.currency ?? currencyCode, sources.scope);
    if (currency === undefined) {
      const field = card.currency === undefined ? currencyField : `${path}.currency`;
      throw estimateProblem('missing_reference', field, 'is neither an ISO 4217 currency nor a custom one');
    }
    const feature = card.featureId === undefined ? undefined : features.get(card.featureId);
    if (card.featureId !== undefined && feature === undefined) {
      throw estimateProblem('missing_reference', `${path}.feature.id`, `feature not found: ${card.featureId}`);
    }
    candidates.push({ card, currency, feature, isProrated, path });
  }
  return candidates;
}

interface FoundCard extends Pick<Candidate, 'card' | 'isProrated' | 'path'> {
  currencyCode: string;
  currencyField: string;
}

function inlineCard({ rate_card, currency }: EstimateRequest): FoundCard[] {
  if (rate_card === undefined || currency === undefined) throw new Error('the schema lets no such request through');
  const card = toRateCard(rate_card);
  return [{ card, currencyCode: currency, currencyField: 'currency', isProrated: true, path: 'rate_card' }];
}

async function cardsOfPlan(
  request: NonNullable<EstimateRequest['plan']>,
  sources: CandidateSources,
): Promise<FoundCard[]> {
  const plan = (await sources.plans.findByIds([request.id], sources.scope)).get(request.id);
  if (plan === undefined || plan.deletedAt !== undefined) {
    throw estimateProblem('missing_reference', 'plan.id', `plan not found: ${request.id}`);
  }
  const index = phaseIndex(plan, request.phase);
  return (plan.phases[index]?.rateCards ?? []).map((card, position) => ({
    card,
    currencyCode: plan.currency,
    currencyField: 'plan.currency',
    isProrated: plan.proRatingEnabled,
    path: `plan.phases.${index}.rate_cards.${position}`,
  }));
}

function phaseIndex(plan: Plan, key: string | undefined): number {
  if (key === undefined) return plan.phases.length - 1;
  const index = plan.phases.findIndex((phase) => phase.key === key);
  if (index >= 0) return index;
  const keys = plan.phases.map((phase) => phase.key).join(', ');
  throw estimateProblem('missing_reference', 'plan.phase', `plan "${plan.key}" has no such phase; it has ${keys}`);
}
