import type { CreateCharge } from '../../api/charges.ts';
import { instantOf } from '../../shared/moments.ts';
import { emptyForm, isUsage, MODELS, type RateCardForm, rateCardOf } from '../catalog/rate-card-form.ts';

/** Pricing models of charges, in the words of rate cards; the others can only be had by a plan. */
export const CHARGE_MODELS = MODELS.filter(({ value }) => ['flat', 'unit', 'tiered'].includes(value));

/** What the form of a charge holds; instants are the texts of their fields, in the viewer's zone. */
export interface ChargeForm {
  /** Name, feature, price, discounts and tax: as rate cards have them. */
  card: RateCardForm;
  description: string;
  currency: string;
  from: string;
  to: string;
  invoiceAt: string;
  isProrated: boolean;
  fullFrom: string;
  fullTo: string;
  reference: string;
}

export function emptyCharge(): ChargeForm {
  return {
    card: { ...emptyForm(''), model: 'flat', isInAdvance: true },
    description: '',
    currency: '',
    from: '',
    to: '',
    invoiceAt: '',
    isProrated: false,
    fullFrom: '',
    fullTo: '',
    reference: '',
  };
}

/** @param now what an empty field means: the customer's */
export function createChargeOf(form: ChargeForm, now: string): CreateCharge {
  const { card } = form;
  const { name, price, discounts, tax_config, feature } = rateCardOf(card);
  const period = periodOf(form.from, form.to, now);
  const isPaidBefore = card.model === 'flat' && card.isInAdvance;
  const currency = form.currency.trim();
  const common = {
    name,
    currency,
    service_period: period,
    invoice_at: instantOr(form.invoiceAt, isPaidBefore ? period.from : period.to),
    settlement_mode: 'credit_then_invoice' as const,
    ...(form.description.trim() !== '' && { description: form.description.trim() }),
    ...(form.reference.trim() !== '' && { unique_reference_id: form.reference.trim() }),
    ...(feature !== undefined && { feature_id: feature.id }),
    ...(tax_config !== undefined && {
      tax_config: {
        tax_code: tax_config.code,
        ...(tax_config.behavior !== undefined && { behavior: tax_config.behavior }),
      },
    }),
  };
  if (isUsage(card.model)) return { ...common, type: 'usage_based', price, ...(discounts && { discounts }) };
  const percentage = discounts?.percentage;
  return {
    ...common,
    type: 'flat_fee',
    amount_before_proration: { amount: card.amount.trim(), currency },
    payment_term: card.isInAdvance ? 'in_advance' : 'in_arrears',
    proration_configuration: { mode: form.isProrated ? 'prorate_prices' : 'no_proration' },
    ...(form.isProrated && { full_service_period: periodOf(form.fullFrom, form.fullTo, period.from, period.to) }),
    ...(percentage !== undefined && { discounts: { percentage } }),
  };
}

/** A period without an end is the moment that it begins at, unless told otherwise. */
function periodOf(from: string, to: string, now: string, end?: string): { from: string; to: string } {
  const start = instantOr(from, now);
  return { from: start, to: instantOr(to, end ?? start) };
}

function instantOr(local: string, otherwise: string): string {
  return local === '' ? otherwise : instantOf(local);
}
