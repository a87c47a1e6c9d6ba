import type { Price, RateCard } from '../../api/plans.ts';
import { jsonObjectOf } from '../../shared/format.ts';

/** Pricing models, in the words of the documents. */
export const MODELS = [
  { label: 'Free', value: 'free' },
  { label: 'Flat fee', value: 'flat' },
  { label: 'Usage based', value: 'unit' },
  { label: 'Tiered', value: 'tiered' },
  { label: 'Package', value: 'package' },
  { label: 'Dynamic', value: 'dynamic' },
] as const;
export type Model = (typeof MODELS)[number]['value'];

export interface TierChoice {
  /** Last unit of the tier; empty: without end. */
  lastUnit: string;
  unitPrice: string;
  flatPrice: string;
}

/** What the wizard holds; amounts are the texts of their fields. */
export interface RateCardForm {
  name: string;
  key: string;
  featureId: string;
  model: Model;
  /** Flat: the fee; usage: price per unit. */
  amount: string;
  /** Usage and package: what a package of `packageSize` units costs. */
  packagePrice: string;
  isOneTime: boolean;
  isInAdvance: boolean;
  cadence: string;
  tierMode: 'graduated' | 'volume';
  tiers: TierChoice[];
  packageSize: string;
  multiplier: string;
  usageDiscount: string;
  percentageDiscount: string;
  minimum: string;
  maximum: string;
  taxBehavior: '' | 'inclusive' | 'exclusive';
  taxCodeId: string;
  entitlement: 'none' | 'boolean' | 'static' | 'metered';
  allowance: string;
  usagePeriod: string;
  isSoftLimit: boolean;
  staticConfig: string;
  /** Unit conversion by hand, for the models that are no package of it already. */
  conversion: { operation: '' | 'divide' | 'multiply'; factor: string; rounding: string; unit: string };
}

export function emptyForm(cadence: string): RateCardForm {
  return {
    name: '',
    key: '',
    featureId: '',
    model: 'unit',
    amount: '',
    packagePrice: '',
    isOneTime: false,
    isInAdvance: false,
    cadence,
    tierMode: 'graduated',
    tiers: [{ lastUnit: '', unitPrice: '', flatPrice: '' }],
    packageSize: '',
    multiplier: '',
    usageDiscount: '',
    percentageDiscount: '',
    minimum: '',
    maximum: '',
    taxBehavior: '',
    taxCodeId: '',
    entitlement: 'none',
    allowance: '',
    usagePeriod: '',
    isSoftLimit: false,
    staticConfig: '{}',
    conversion: { operation: '', factor: '', rounding: 'none', unit: '' },
  };
}

const given = (text: string): boolean => text.trim() !== '';

function priceOf(form: RateCardForm): Price {
  switch (form.model) {
    case 'free':
      return { type: 'free' };
    case 'flat':
      return { type: 'flat', amount: form.amount.trim() };
    case 'tiered':
      return {
        type: form.tierMode,
        tiers: form.tiers.map(({ lastUnit, unitPrice, flatPrice }) => ({
          ...(given(lastUnit) && { up_to_amount: lastUnit.trim() }),
          ...(given(unitPrice) && { unit_price: { type: 'unit' as const, amount: unitPrice.trim() } }),
          ...(given(flatPrice) && { flat_price: { type: 'flat' as const, amount: flatPrice.trim() } }),
        })),
      };
    case 'dynamic':
      return { type: 'unit', amount: '1' };
    default:
      return { type: 'unit', amount: (isPackage(form) ? form.packagePrice : form.amount).trim() };
  }
}

/** Usage is sold in packages: by the model of that name, or since its fields are filled in under "usage based". */
function isPackage(form: RateCardForm): boolean {
  return form.model === 'package' || (form.model === 'unit' && (given(form.packagePrice) || given(form.packageSize)));
}

function unitConfigOf(form: RateCardForm): RateCard['unit_config'] {
  if (isPackage(form)) {
    return { operation: 'divide', conversion_factor: form.packageSize.trim(), rounding: 'ceiling', precision: 0 };
  }
  if (form.model === 'dynamic') {
    return { operation: 'multiply', conversion_factor: form.multiplier.trim(), rounding: 'none', precision: 0 };
  }
  const { operation, factor, rounding, unit } = form.conversion;
  if (operation === '' || !isUsage(form.model)) return undefined;
  return {
    operation,
    conversion_factor: factor.trim(),
    rounding: rounding as 'none',
    precision: 0,
    ...(given(unit) && { display_unit: unit.trim() }),
  };
}

/** Models that price usage of a feature's meter. */
export function isUsage(model: Model): boolean {
  return model !== 'free' && model !== 'flat';
}

function entitlementOf(form: RateCardForm): RateCard['entitlement'] {
  switch (form.entitlement) {
    case 'none':
      return undefined;
    case 'boolean':
      return { type: 'boolean' };
    case 'static':
      return { type: 'static', config: JSON.parse(form.staticConfig) };
    case 'metered':
      return {
        type: 'metered',
        is_soft_limit: form.isSoftLimit,
        // The contract's limit is a JSON number; the form takes whole numbers only.
        ...(given(form.allowance) && { limit: Number.parseInt(form.allowance, 10) }),
        ...(form.usagePeriod !== '' && { usage_period: form.usagePeriod }),
      };
  }
}

/** What is wrong with the form before the server is asked; empty: nothing. By the name of the field. */
export function formProblems(form: RateCardForm): Partial<Record<keyof RateCardForm, string>> {
  const problems: Partial<Record<keyof RateCardForm, string>> = {};
  const inPackages = isPackage(form);
  const needsAmount = form.model === 'flat' || (form.model === 'unit' && !inPackages);
  if (needsAmount && !given(form.amount)) problems.amount = 'Enter a price.';
  if (form.model === 'unit' && inPackages && given(form.amount)) {
    problems.amount = 'Enter a price per unit or one per package, not both.';
  }
  if (inPackages && !given(form.packagePrice)) problems.packagePrice = 'Enter what a package costs.';
  if (inPackages && !given(form.packageSize)) problems.packageSize = 'Enter how many units a package has.';
  if (form.model === 'dynamic' && !given(form.multiplier)) problems.multiplier = 'Enter a multiplier.';
  if (isUsage(form.model) && form.featureId === '') problems.featureId = 'Usage needs a feature with a meter.';
  if (given(form.percentageDiscount) && !/^\d+(\.\d+)?$/.test(form.percentageDiscount.trim())) {
    problems.percentageDiscount = 'Enter a number from 0 to 100.';
  }
  if (form.entitlement === 'static' && jsonObjectOf(form.staticConfig) === undefined) {
    problems.staticConfig = 'Enter a JSON object.';
  }
  if (form.entitlement === 'metered' && given(form.allowance) && !/^\d{1,15}$/.test(form.allowance.trim())) {
    problems.allowance = 'Enter a whole number.';
  }
  return problems;
}

/** The API's rate card of a form. @throws SyntaxError for a static entitlement that is not JSON: ask formProblems first */
export function rateCardOf(form: RateCardForm): RateCard {
  const config = unitConfigOf(form);
  const entitlement = entitlementOf(form);
  const discounts = {
    ...(given(form.usageDiscount) && { usage: form.usageDiscount.trim() }),
    ...(given(form.percentageDiscount) && { percentage: Number.parseFloat(form.percentageDiscount) }),
  };
  const commitments = {
    ...(given(form.minimum) && { minimum_amount: form.minimum.trim() }),
    ...(given(form.maximum) && { maximum_amount: form.maximum.trim() }),
  };
  const isOneTime = form.model === 'flat' && form.isOneTime;
  return {
    name: form.name.trim(),
    key: form.key.trim(),
    price: priceOf(form),
    ...(form.featureId !== '' && { feature: { id: form.featureId } }),
    ...(!isOneTime && { billing_cadence: form.cadence }),
    ...(form.model === 'flat' && {
      payment_term: form.isInAdvance ? ('in_advance' as const) : ('in_arrears' as const),
    }),
    ...(config !== undefined && { unit_config: config }),
    ...(Object.keys(discounts).length > 0 && form.model !== 'free' && { discounts }),
    ...(Object.keys(commitments).length > 0 && isUsage(form.model) && { commitments }),
    ...(form.taxCodeId !== '' && {
      tax_config: {
        code: { id: form.taxCodeId },
        ...(form.taxBehavior !== '' && { behavior: form.taxBehavior }),
      },
    }),
    ...(entitlement !== undefined && { entitlement }),
  };
}

/** The form of a rate card that is there. */
export function formOf(card: RateCard, planCadence: string): RateCardForm {
  const form = emptyForm(card.billing_cadence ?? planCadence);
  const { price, unit_config: config, entitlement } = card;
  form.name = card.name;
  form.key = card.key;
  form.featureId = card.feature?.id ?? '';
  form.isOneTime = price.type === 'flat' && !card.billing_cadence;
  form.isInAdvance = card.payment_term === 'in_advance';
  form.usageDiscount = card.discounts?.usage ?? '';
  form.percentageDiscount = card.discounts?.percentage === undefined ? '' : String(card.discounts.percentage);
  form.minimum = card.commitments?.minimum_amount ?? '';
  form.maximum = card.commitments?.maximum_amount ?? '';
  form.taxCodeId = card.tax_config?.code.id ?? '';
  form.taxBehavior = card.tax_config?.behavior ?? '';
  if (price.type === 'free') form.model = 'free';
  if (price.type === 'flat' || price.type === 'unit') {
    form.model = price.type;
    form.amount = price.amount;
  }
  if (price.type === 'graduated' || price.type === 'volume') {
    form.model = 'tiered';
    form.tierMode = price.type;
    form.tiers = price.tiers.map((tier) => ({
      lastUnit: tier.up_to_amount ?? '',
      unitPrice: tier.unit_price?.amount ?? '',
      flatPrice: tier.flat_price?.amount ?? '',
    }));
  }
  if (config !== undefined) takeConversion(form, card, config);
  if (entitlement !== undefined) takeEntitlement(form, entitlement);
  return form;
}

function takeConversion(form: RateCardForm, card: RateCard, config: NonNullable<RateCard['unit_config']>): void {
  const isUnit = card.price.type === 'unit';
  if (isUnit && config.operation === 'divide' && config.rounding === 'ceiling' && config.display_unit === undefined) {
    form.model = 'package';
    form.packagePrice = form.amount;
    form.amount = '';
    form.packageSize = config.conversion_factor;
  } else if (isUnit && config.operation === 'multiply' && form.amount === '1' && config.rounding === 'none') {
    form.model = 'dynamic';
    form.multiplier = config.conversion_factor;
  } else {
    form.conversion = {
      operation: config.operation,
      factor: config.conversion_factor,
      rounding: config.rounding ?? 'none',
      unit: config.display_unit ?? '',
    };
  }
}

function takeEntitlement(form: RateCardForm, entitlement: NonNullable<RateCard['entitlement']>): void {
  form.entitlement = entitlement.type;
  if (entitlement.type === 'static') form.staticConfig = JSON.stringify(entitlement.config, null, 2);
  if (entitlement.type === 'metered') {
    form.allowance = entitlement.limit === undefined ? '' : String(entitlement.limit);
    form.usagePeriod = entitlement.usage_period ?? '';
    form.isSoftLimit = entitlement.is_soft_limit ?? false;
  }
}
