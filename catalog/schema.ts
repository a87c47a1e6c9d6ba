import { z } from 'zod';
import { decimalTextOf, type ExactNumber, exactNumber, isExactNumber, shortestDecimal } from './exact-json.ts';

/**
 * The catalog as the file has it: the API's own fields, with keys where the API has ids, and without what only the
 * server knows. Parsing gives every value one form, so that equal catalogs are equal: defaults are written out, numbers
 * are in their shortest form, what is empty is gone.
 * @param isStrict refuses unknown fields: for files. A server's answers may have more than we know.
 */
export function catalogSchemas(isStrict: boolean) {
  const object = <Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape> =>
    isStrict ? (z.strictObject(shape) as z.ZodObject<Shape>) : (z.object(shape) as z.ZodObject<Shape>);
  const { rateCard } = rateCardSchemas(object);

  const taxCode = object({
    key,
    ...named,
    app_mappings: z.array(object({ app_type: z.string(), tax_code: z.string() })),
  });
  const taxCodeDefaults = object({
    invoicing_tax_code: reference(object).optional(),
    credit_grant_tax_code: reference(object).optional(),
  });
  const meter = object({
    key,
    ...named,
    aggregation: z.string(),
    event_type: z.string(),
    events_from: z.string().transform(inUtc).optional(),
    value_property: z.string().optional(),
    dimensions: texts,
  });
  const feature = object({
    key,
    ...named,
    meter: object({ key: z.string(), filters: filled(z.record(z.string(), json)) }).optional(),
    unit_cost: unitCost(object).optional(),
  });
  const addon = object({
    key,
    ...named,
    status: z.enum(['active', 'draft']).default('active'),
    instance_type: z.string(),
    currency: z.string(),
    rate_cards: z.array(rateCard),
  });
  const planAddon = object({
    addon: reference(object),
    ...named,
    from_plan_phase: z.string(),
    max_quantity: z.int().optional(),
  });
  const phase = object({ key, ...named, duration: z.string().nullish(), rate_cards: z.array(rateCard) });
  const plan = object({
    key,
    ...named,
    status: z.enum(['active', 'draft']).default('active'),
    currency: z.string(),
    billing_cadence: z.string(),
    pro_rating_enabled: z.boolean().default(true),
    phases: z.array(phase),
    addons: filledList(z.array(planAddon)),
  });
  const catalog = object({
    _format_version: formatVersion.optional(),
    tax_codes: z.array(taxCode).optional(),
    tax_code_defaults: taxCodeDefaults.optional(),
    meters: z.array(meter).optional(),
    features: z.array(feature).optional(),
    addons: z.array(addon).optional(),
    plans: z.array(plan).optional(),
  });
  return { catalog, taxCode, taxCodeDefaults, meter, feature, addon, plan, planAddon };
}

type Schemas = ReturnType<typeof catalogSchemas>;
export type Catalog = z.output<Schemas['catalog']>;
export type TaxCode = z.output<Schemas['taxCode']>;
export type TaxCodeDefaults = z.output<Schemas['taxCodeDefaults']>;
export type Meter = z.output<Schemas['meter']>;
export type Feature = z.output<Schemas['feature']>;
export type Addon = z.output<Schemas['addon']>;
export type Plan = z.output<Schemas['plan']>;
export type PlanAddon = z.output<Schemas['planAddon']>;
export type RateCard = Plan['phases'][number]['rate_cards'][number];

type ObjectMaker = <Shape extends z.ZodRawShape>(shape: Shape) => z.ZodObject<Shape>;

const key = z.string().min(1);
const texts = filled(z.record(z.string(), z.string()));
const json = z.unknown();
const named = {
  name: z.string(),
  description: z
    .string()
    .optional()
    .transform((text) => (text === '' ? undefined : text)),
  labels: texts,
};

const decimalText = z
  .union([z.string(), z.number(), z.custom<ExactNumber>(isExactNumber)], { error: 'must be a number' })
  .transform((value) => (typeof value === 'string' ? value : decimalTextOf(value)))
  .pipe(z.string().regex(/^-?\d+(\.\d+)?$/, 'must be a decimal number, such as "12.5"'))
  .transform(shortestDecimal);
const formatVersion = decimalText.refine((version) => version === '1', { error: 'must be "1.0"' });
/** What JSON has as a number. */
const decimalNumber = z
  .union([z.number(), z.custom<ExactNumber>(isExactNumber)], { error: 'must be a number' })
  .transform((value) => exactNumber(shortestDecimal(decimalTextOf(value))));

function reference(object: ObjectMaker) {
  return object({ key: z.string().min(1) });
}

function unitCost(object: ObjectMaker) {
  const text = z.string().optional();
  return z.discriminatedUnion('type', [
    object({ type: z.literal('manual'), amount: decimalText }),
    object({
      type: z.literal('llm'),
      provider: text,
      provider_property: text,
      model: text,
      model_property: text,
      token_type: text,
      token_type_property: text,
    }),
  ]);
}

function rateCardSchemas(object: ObjectMaker) {
  const flat = object({ type: z.literal('flat'), amount: decimalText });
  const unit = object({ type: z.literal('unit'), amount: decimalText });
  const tier = object({
    up_to_amount: decimalText.optional(),
    flat_price: flat.optional(),
    unit_price: unit.optional(),
  });
  const price = z.discriminatedUnion('type', [
    object({ type: z.literal('free') }),
    flat,
    unit,
    object({ type: z.literal('graduated'), tiers: z.array(tier) }),
    object({ type: z.literal('volume'), tiers: z.array(tier) }),
  ]);
  const unitConfig = object({
    operation: z.string(),
    conversion_factor: decimalText,
    rounding: z.string().default('none'),
    precision: z.int().default(0),
    display_unit: z.string().optional(),
  });
  const entitlement = z.discriminatedUnion('type', [
    object({
      type: z.literal('metered'),
      is_soft_limit: z.boolean().default(false),
      limit: decimalNumber.optional(),
      usage_period: z.string().optional(),
    }),
    object({ type: z.literal('static'), config: json }),
    object({ type: z.literal('boolean') }),
  ]);
  const rateCard = object({
    key,
    ...named,
    feature: reference(object).optional(),
    currency: z.string().optional(),
    billing_cadence: z.string().nullish(),
    price,
    unit_config: unitConfig.optional(),
    payment_term: z.string().default('in_arrears'),
    commitments: filled(object({ minimum_amount: decimalText.optional(), maximum_amount: decimalText.optional() })),
    discounts: filled(object({ percentage: decimalNumber.optional(), usage: decimalText.optional() })),
    tax_config: object({ behavior: z.string().optional(), code: reference(object) }).optional(),
    entitlement: entitlement.optional(),
  }).transform((card) => {
    const { entitlement: access, billing_cadence } = card;
    if (access?.type !== 'metered' || access.usage_period !== undefined || billing_cadence == null) return card;
    return { ...card, entitlement: { ...access, usage_period: billing_cadence } };
  });
  return { rateCard };
}

/** What has no entry is as good as missing. */
function filled<Schema extends z.ZodType<object>>(schema: Schema) {
  return schema
    .optional()
    .transform((value) =>
      value === undefined || Object.values(value).every((entry) => entry === undefined) ? undefined : value,
    );
}

function filledList<Schema extends z.ZodType<readonly unknown[]>>(schema: Schema) {
  return schema.optional().transform((list) => (list === undefined || list.length === 0 ? undefined : list));
}

/** Instants as the server writes them; what is none is left for the server to refuse. */
function inUtc(text: string): string {
  const atMs = Date.parse(text);
  if (Number.isNaN(atMs)) return text;
  const utc = new Date(atMs).toISOString();
  return utc.endsWith('.000Z') ? `${utc.slice(0, -5)}Z` : utc;
}
