/** Rate cards and phases between the contract's shape and ours. The only place that knows both. */
import { defined } from '../../platform/defined.ts';
import { parseJsonText, type RawJson, rawJson } from '../../platform/json.ts';
import type { Price } from '../rating/index.ts';
import type { PhaseInput, RateCardInput } from './rate-card-schema.ts';
import type { EntitlementTemplate, Labels, Phase, RateCard, RateCardTerms } from './types.ts';

/** A rate card as answers carry it; what JSON writes as a number keeps all its digits. */
export interface RateCardBody {
  name: string;
  description?: string;
  labels?: Labels;
  key: string;
  feature?: { id: string };
  currency?: string;
  billing_cadence?: string;
  price: Price;
  unit_config?: RateCardTerms['unit_config'];
  payment_term: RateCardTerms['payment_term'];
  commitments?: RateCardTerms['commitments'];
  discounts?: { percentage?: RawJson; usage?: string };
  tax_config?: { behavior?: 'inclusive' | 'exclusive'; code: { id: string } };
  entitlement?:
    | { type: 'metered'; is_soft_limit: boolean; limit?: RawJson; usage_period: string }
    | { type: 'static'; config: unknown }
    | { type: 'boolean' };
}

/** A phase as answers carry it. */
export interface PhaseBody {
  name: string;
  description?: string;
  labels?: Labels;
  key: string;
  duration?: string;
  rate_cards: RateCardBody[];
}

/** @param input checked by `rateCardSchema` */
export function toRateCard(input: RateCardInput): RateCard {
  const { tax_config, entitlement } = input;
  return {
    key: input.key,
    name: input.name,
    ...defined({
      description: input.description,
      labels: input.labels,
      featureId: input.feature?.id,
      currency: input.currency,
      billingCadence: input.billing_cadence,
      taxConfig: tax_config && { ...defined({ behavior: tax_config.behavior }), taxCodeId: tax_config.code.id },
      entitlement: entitlement && toEntitlement(entitlement, input.billing_cadence),
    }),
    terms: toTerms(input),
  };
}

function toTerms(input: RateCardInput): RateCardTerms {
  const { price, payment_term, unit_config, commitments, discounts } = input;
  return {
    price,
    payment_term,
    ...defined({
      unit_config: unit_config && { ...unit_config, ...defined(unit_config) },
      commitments: nonEmpty(commitments),
      discounts: nonEmpty(discounts),
    }),
  };
}

/** An object of optional values, or undefined when none is given. */
function nonEmpty<T extends object>(values: T | undefined) {
  const given = values && defined(values);
  return given !== undefined && Object.keys(given).length > 0 ? given : undefined;
}

function toEntitlement(
  input: NonNullable<RateCardInput['entitlement']>,
  billingCadence: string | null | undefined,
): EntitlementTemplate {
  switch (input.type) {
    case 'boolean':
      return { type: 'boolean' };
    case 'static':
      return { type: 'static', configJson: JSON.stringify(input.config) };
    case 'metered': {
      const usagePeriod = input.usage_period ?? billingCadence;
      if (usagePeriod == null) throw new Error('the schema lets no metered entitlement without a usage period through');
      return { type: 'metered', isSoftLimit: input.is_soft_limit, usagePeriod, ...defined({ limit: input.limit }) };
    }
  }
}

export function fromRateCard(card: RateCard): RateCardBody {
  const { taxConfig, entitlement, terms } = card;
  const { percentage, usage } = terms.discounts ?? {};
  return {
    name: card.name,
    key: card.key,
    price: terms.price,
    payment_term: terms.payment_term,
    ...defined({
      description: card.description,
      labels: card.labels,
      feature: card.featureId === undefined ? undefined : { id: card.featureId },
      currency: card.currency,
      billing_cadence: card.billingCadence,
      unit_config: terms.unit_config,
      commitments: terms.commitments,
      discounts: terms.discounts && defined({ percentage: toJsonNumber(percentage), usage }),
      tax_config: taxConfig && { ...defined({ behavior: taxConfig.behavior }), code: { id: taxConfig.taxCodeId } },
      entitlement: entitlement && fromEntitlement(entitlement),
    }),
  };
}

function fromEntitlement(entitlement: EntitlementTemplate): NonNullable<RateCardBody['entitlement']> {
  switch (entitlement.type) {
    case 'boolean':
      return { type: 'boolean' };
    case 'static':
      return { type: 'static', config: parseJsonText(entitlement.configJson) };
    case 'metered': {
      const { isSoftLimit, limit, usagePeriod } = entitlement;
      return {
        type: 'metered',
        is_soft_limit: isSoftLimit,
        usage_period: usagePeriod,
        ...defined({ limit: toJsonNumber(limit) }),
      };
    }
  }
}

function toJsonNumber(decimal: string | undefined): RawJson | undefined {
  return decimal === undefined ? undefined : rawJson(decimal);
}

/** @param input checked by `phaseSchema` */
export function toPhase(input: PhaseInput): Phase {
  return {
    key: input.key,
    name: input.name,
    ...defined({ description: input.description, labels: input.labels, duration: input.duration }),
    rateCards: input.rate_cards.map(toRateCard),
  };
}

export function fromPhase(phase: Phase): PhaseBody {
  return {
    name: phase.name,
    key: phase.key,
    ...defined({ description: phase.description, labels: phase.labels, duration: phase.duration }),
    rate_cards: phase.rateCards.map(fromRateCard),
  };
}

/** The form in which the database keeps rate cards: their plain data as JSON. */
export function rateCardsToJson(cards: readonly RateCard[]): string {
  return JSON.stringify(cards);
}

/** @param json written by `rateCardsToJson` */
export function rateCardsFromJson(json: string): RateCard[] {
  return JSON.parse(json) as RateCard[];
}

/** The form in which the database keeps phases. */
export function phasesToJson(phases: readonly Phase[]): string {
  return JSON.stringify(phases);
}

/** @param json written by `phasesToJson` */
export function phasesFromJson(json: string): Phase[] {
  return JSON.parse(json) as Phase[];
}
