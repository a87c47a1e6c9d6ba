/** Lines on drafts follow what they are charged for, but for what a person has set on them. Pure. */

import { chargesUsage, feeOf, fixedAmountOf, type PricingTerms } from '../../catalog/rating/index.ts';
import { Decimal, formatDecimal } from '../../platform/decimal.ts';
import { defined } from '../../platform/defined.ts';
import { type Currency, roundMoney } from '../../platform/money.ts';
import type { Period } from '../../platform/period/index.ts';
import type { Charge } from '../charges/index.ts';
import { draftLine } from './gather.ts';
import type { InvoiceLine, LineField } from './types.ts';

/** The line as its charge wants it now, with what was set on it kept. @param period of the part that it bills */
export function followCharge(line: InvoiceLine, charge: Charge, period: Period, currency: Currency): InvoiceLine {
  const draft = draftLine(charge, period);
  const { description: _, labels: __, featureId: ___, featureKey: ____, taxConfig, ...rest } = line;
  const next: InvoiceLine = { ...rest, ...draft, ...(draft.taxConfig === undefined && taxConfig && { taxConfig }) };
  const fields = line.overrides?.fields ?? [];
  if (fields.length === 0) return next;
  const kept = Object.assign({}, ...fields.map((field) => KEPT[field](line))) as Partial<InvoiceLine>;
  return { ...next, ...kept, controller: 'manual', terms: billedTerms(line, charge, draft.terms, currency) };
}

const KEPT: Readonly<Record<LineField, (line: InvoiceLine) => Partial<InvoiceLine>>> = {
  name: ({ name }) => ({ name }),
  description: ({ description }) => ({ description }) as Partial<InvoiceLine>,
  labels: ({ labels }) => ({ labels }) as Partial<InvoiceLine>,
  tax: ({ taxConfig }) => ({ taxConfig }) as Partial<InvoiceLine>,
  feature: ({ featureId, featureKey }) => ({ featureId, featureKey }) as Partial<InvoiceLine>,
  period: ({ servicePeriod, fullServicePeriod, splitPosition }) => ({
    servicePeriod,
    fullServicePeriod,
    splitPosition,
  }),
  // Of the terms only a part may have been set.
  price: () => ({}),
  discounts: () => ({}),
};

/** The charge with what a person has set on the line that bills all of it: so it is shown. */
export function asEdited(charge: Charge, line: InvoiceLine, currency: Currency): Charge {
  const { overrides, servicePeriod } = line;
  if (overrides === undefined || line.splitPosition !== 'single') return charge;
  const agreed = charge.amount === undefined ? charge.terms : withAmount(charge, charge.amount);
  const terms = billedTerms(line, charge, agreed, currency);
  const kept = Object.assign({}, ...overrides.fields.map((field) => KEPT[field](line))) as Partial<InvoiceLine>;
  const { name = charge.name, description, labels, taxConfig, featureId, featureKey } = { ...charge, ...kept };
  const { amount: _, ...rest } = charge;
  return {
    ...rest,
    name,
    terms,
    servicePeriod: overrides.fields.includes('period') ? servicePeriod : charge.servicePeriod,
    ...({ description, labels, taxConfig, featureId, featureKey } as Partial<Charge>),
    ...defined({ amount: fixedAmountOf(terms.price) }),
  };
}

function withAmount({ terms }: Charge, amount: string): PricingTerms {
  return { ...terms, price: { type: 'flat', amount } };
}

/**
 * What the charge costs by the line: its own terms, but for the price and the discounts that were set on the line.
 * @param agreed the charge's terms, with the amount that a fee has now
 */
export function billedTerms(
  line: Pick<InvoiceLine, 'overrides' | 'terms'>,
  charge: Charge,
  agreed: PricingTerms,
  currency: Currency,
): PricingTerms {
  const fields = line.overrides?.fields ?? [];
  const priced = fields.includes('price') ? pricedBy(line, charge, currency) : agreed;
  if (!fields.includes('discounts')) return withDiscounts(priced, agreed.discounts);
  return withDiscounts(priced, line.terms.discounts);
}

function withDiscounts({ discounts: _, ...terms }: PricingTerms, discounts: PricingTerms['discounts']): PricingTerms {
  return discounts === undefined ? terms : { ...terms, discounts };
}

function pricedBy({ overrides, terms }: Pick<InvoiceLine, 'overrides' | 'terms'>, charge: Charge, currency: Currency) {
  const fee = overrides?.fee;
  if (fee === undefined || charge.amount === undefined || chargesUsage(terms.price)) return terms;
  return { ...terms, price: { type: 'flat' as const, amount: partOfFee(fee, charge, currency) } };
}

/** A fee that a person has set owes as much of itself as the agreed one does: all, none, or the part of its time. */
function partOfFee(fee: { amount: string; for: Period }, charge: Charge, currency: Currency): string {
  const { amount = '0', terms, servicePeriod, fullServicePeriod } = charge;
  if (new Decimal(amount).isZero()) return '0';
  const whole = feeOf(terms.price) ?? amount;
  const [setForMs, servedMs, fullMs] = [lengthMs(fee.for), lengthMs(servicePeriod), lengthMs(fullServicePeriod)];
  // A shorter time that costs as much: whoever leaves early pays the whole period.
  const isWhole = charge.prorationMode === 'no_proration' || (servedMs < fullMs && new Decimal(whole).eq(amount));
  if (isWhole || setForMs <= 0 || servedMs === setForMs) return fee.amount;
  return formatDecimal(roundMoney(new Decimal(fee.amount).mul(servedMs).div(setForMs), currency));
}

function lengthMs({ fromMs, toMs }: Period): number {
  return toMs - fromMs;
}
