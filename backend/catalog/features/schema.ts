import { z } from '@hono/zod-openapi';
import { dimensionFilterSchema } from '../../metering/meters/index.ts';
import type { BrokenRule } from '../../platform/errors.ts';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import {
  descriptionSchema,
  labelsSchema,
  nameSchema,
  nonNegativeNumericSchema,
  resourceFields,
  resourceKeySchema,
  ulidSchema,
} from '../../platform/http/schemas.ts';

/** The contract's limit on the filters of one query. */
const MAX_FILTERS = 10;
/** Names of providers and models are shorter; of dimensions too. */
const MAX_PROPERTY_LENGTH = 256;

const filtersSchema = z
  .record(z.string(), dimensionFilterSchema)
  .refine((filters) => Object.keys(filters).length <= MAX_FILTERS, {
    error: `must have at most ${MAX_FILTERS} filters`,
    params: { rule: 'max_items', maximum: MAX_FILTERS } satisfies BrokenRule,
  })
  .superRefine((filters, context) => {
    for (const [name, filter] of Object.entries(filters)) {
      // It would pass everything: whoever sends it has lost an operator on the way.
      if (Object.values(filter).some((operand) => operand !== undefined)) continue;
      context.addIssue({ code: 'custom', path: [name], message: 'must have an operator, such as eq or in' });
    }
  })
  .openapi({ description: 'Which events of the meter count, by dimension; all of them must pass.' });

const featureMeterSchema = z.strictObject({ id: ulidSchema, filters: filtersSchema.optional() });

const LLM_TOKEN_TYPES = ['input', 'output', 'cache_read', 'cache_write', 'reasoning', 'request', 'response'] as const;

const manualUnitCostSchema = z.strictObject({
  type: z.literal('manual'),
  amount: nonNegativeNumericSchema.openapi({ description: 'Cost of one unit in USD.' }),
});

const propertySchema = z.string().min(1).max(MAX_PROPERTY_LENGTH).optional();
const llmUnitCostSchema = z.strictObject({
  type: z.literal('llm'),
  provider: propertySchema,
  provider_property: propertySchema.openapi({ description: 'Dimension of the meter that has the provider.' }),
  model: propertySchema,
  model_property: propertySchema.openapi({ description: 'Dimension of the meter that has the model.' }),
  token_type: z.enum(LLM_TOKEN_TYPES).optional(),
  token_type_property: propertySchema.openapi({ description: 'Dimension of the meter that has the type of token.' }),
});

/** Pairs of which exactly one is set. */
export const LLM_COST_PAIRS = [
  ['provider', 'provider_property'],
  ['model', 'model_property'],
  ['token_type', 'token_type_property'],
] as const;

export const unitCostSchema = z
  .discriminatedUnion('type', [manualUnitCostSchema, llmUnitCostSchema])
  .superRefine((cost, context) => {
    if (cost.type !== 'llm') return;
    for (const [value, property] of LLM_COST_PAIRS) {
      const given = [cost[value], cost[property]].filter((item) => item !== undefined).length;
      if (given === 1) continue;
      const message = given === 0 ? `or ${property} is required` : `and ${property} exclude each other`;
      const rule = given === 0 ? 'required' : 'invalid';
      context.addIssue({ code: 'custom', path: [value], message, params: { rule } });
    }
  })
  .openapi('FeatureUnitCost');
export type UnitCost = z.output<typeof unitCostSchema>;

/** A feature named by a ULID could not be told from its id. Crockford's alphabet reads lower case too. */
const LOOKS_LIKE_ULID = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;

export const createFeatureSchema = z
  .strictObject({
    name: nameSchema,
    description: descriptionSchema.optional(),
    labels: labelsSchema.optional(),
    key: resourceKeySchema.refine((key) => !LOOKS_LIKE_ULID.test(key), { error: 'must not look like a ULID' }),
    meter: featureMeterSchema.optional(),
    unit_cost: unitCostSchema.optional(),
  })
  .openapi('CreateFeatureRequest');
export type CreateFeature = z.output<typeof createFeatureSchema>;

export const updateFeatureSchema = z
  .strictObject({
    unit_cost: unitCostSchema.nullable().optional().openapi({ description: 'null clears it, omitted it stays.' }),
  })
  .openapi('UpdateFeatureRequest');
export type UpdateFeature = z.output<typeof updateFeatureSchema>;

export const featureSchema = z
  .strictObject({
    ...resourceFields,
    key: z.string(),
    meter: featureMeterSchema.optional(),
    unit_cost: unitCostSchema.optional(),
  })
  .openapi('Feature');
/** A feature; an archived one carries `deleted_at`. Without `meter` it is static: on or off, never counted. */
export type Feature = z.output<typeof featureSchema>;

export const featurePageSchema = z
  .strictObject({ data: z.array(featureSchema), meta: pageMetaSchema })
  .openapi('FeaturePage');
export type FeaturePage = z.output<typeof featurePageSchema>;

/** What the list of features can be sorted and filtered by. */
export type FeatureSortField = 'created_at' | 'key' | 'name' | 'updated_at';
export type FeatureFilterField = 'meter_id' | 'key' | 'name';
