import { z } from '@hono/zod-openapi';
import type { BrokenRule } from '../../platform/errors.ts';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import {
  dateTimeSchema,
  descriptionSchema,
  instantSchema,
  labelsSchema,
  nameSchema,
  resourceFields,
  resourceKeySchema,
} from '../../platform/http/schemas.ts';
import { AGGREGATION_NAMES } from '../usage-store/index.ts';

const GRANULARITIES = ['PT1M', 'PT1H', 'P1D', 'P1M'] as const;

/** Dimensions beyond this make every event's processing slow; the largest built-in meter has 19. */
const MAX_DIMENSIONS = 100;
/** A path this long is a mistake. */
const MAX_PATH_LENGTH = 1024;

const pathSchema = z.string().max(MAX_PATH_LENGTH);
const dimensionsSchema = z
  .record(z.string(), pathSchema)
  .refine((dimensions) => Object.keys(dimensions).length <= MAX_DIMENSIONS, {
    error: `must have at most ${MAX_DIMENSIONS} dimensions`,
  })
  .openapi({
    description:
      'JSONPath of each dimension by its name: names, indexes, wildcards, descendants, filters of plain comparisons.',
    example: { route: '$.route_name' },
  });

export const aggregationSchema = z.enum(AGGREGATION_NAMES).openapi('MeterAggregation');

export const createMeterSchema = z
  .strictObject({
    name: nameSchema,
    description: descriptionSchema.optional(),
    labels: labelsSchema.optional(),
    key: resourceKeySchema,
    aggregation: aggregationSchema,
    event_type: z.string().min(1),
    events_from: instantSchema.optional(),
    value_property: pathSchema.min(1).optional().openapi({ example: '$.tokens' }),
    dimensions: dimensionsSchema.optional(),
  })
  .openapi('CreateMeterRequest');
export type CreateMeter = z.output<typeof createMeterSchema>;

export const updateMeterSchema = z
  .strictObject({
    name: nameSchema.optional(),
    description: descriptionSchema.optional(),
    labels: labelsSchema.optional(),
    dimensions: dimensionsSchema.optional(),
  })
  .openapi('UpdateMeterRequest');
export type UpdateMeter = z.output<typeof updateMeterSchema>;

export const meterSchema = z
  .strictObject({
    ...resourceFields,
    key: z.string(),
    aggregation: aggregationSchema,
    event_type: z.string(),
    events_from: dateTimeSchema.optional(),
    value_property: z.string().optional(),
    dimensions: z.record(z.string(), z.string()).optional(),
  })
  .openapi('Meter');
export type Meter = z.output<typeof meterSchema>;

export const meterPageSchema = z
  .strictObject({ data: z.array(meterSchema), meta: pageMetaSchema })
  .openapi('MeterPage');

/** What the list of meters can be sorted and filtered by. */
export type MeterSortField = 'created_at' | 'key' | 'name' | 'aggregation' | 'updated_at';
export type MeterFilterField = 'key' | 'name';

const listSchema = z.array(z.string()).min(1).max(100);
const textOperators = {
  eq: z.string().optional(),
  neq: z.string().optional(),
  in: listSchema.optional(),
  nin: listSchema.optional(),
  contains: z.string().optional(),
  ncontains: z.string().optional(),
};

/** A nested filter: at most two levels of and/or, as the contract's reference implementation allows. */
const innerFilterSchema = z.strictObject(textOperators);
const nestedFilterSchema = z.strictObject({
  ...textOperators,
  and: z.array(innerFilterSchema).min(1).max(10).optional(),
  or: z.array(innerFilterSchema).min(1).max(10).optional(),
});
export const dimensionFilterSchema = z
  .strictObject({
    exists: z.boolean().optional(),
    ...textOperators,
    and: z.array(nestedFilterSchema).min(1).max(10).optional(),
    or: z.array(nestedFilterSchema).min(1).max(10).optional(),
  })
  .openapi('DimensionFilter');

/** The contract's limit on the filters of one query. */
const MAX_FILTERS = 10;

export const queryRequestSchema = z
  .strictObject({
    from: dateTimeSchema.optional(),
    to: dateTimeSchema.optional(),
    granularity: z.enum(GRANULARITIES).optional(),
    time_zone: z.string().default('UTC'),
    group_by_dimensions: z.array(z.string()).max(100).optional(),
    filters: z
      .strictObject({
        dimensions: z
          .record(z.string(), dimensionFilterSchema)
          .refine((filters) => Object.keys(filters).length <= MAX_FILTERS, {
            error: `must have at most ${MAX_FILTERS} filters`,
            params: { rule: 'max_items', maximum: MAX_FILTERS } satisfies BrokenRule,
          })
          .optional(),
      })
      .optional(),
  })
  .openapi('MeterQueryRequest');
export type QueryRequest = z.output<typeof queryRequestSchema>;

export const queryResultSchema = z
  .strictObject({
    from: dateTimeSchema.optional(),
    to: dateTimeSchema.optional(),
    data: z.array(
      z.strictObject({
        value: z.string().openapi({ description: 'A decimal number, exact.', example: '12.3456' }),
        from: dateTimeSchema,
        to: dateTimeSchema,
        dimensions: z.record(z.string(), z.string()),
      }),
    ),
  })
  .openapi('MeterQueryResult');
export type QueryResult = z.output<typeof queryResultSchema>;

const templateFields = {
  key: z.string(),
  name: z.string(),
  description: z.string(),
  aggregation: aggregationSchema,
  event_type: z.string(),
  value_property: z.string().optional(),
  dimensions: z.record(z.string(), z.string()),
};
export const meterTemplateSchema = z.strictObject(templateFields).openapi('MeterTemplate');
export type MeterTemplate = z.output<typeof meterTemplateSchema>;
export const meterTemplateListSchema = z
  .strictObject({ data: z.array(meterTemplateSchema) })
  .openapi('MeterTemplateList');

export const builtInMeterSchema = z
  .strictObject({ ...templateFields, enabled: z.boolean(), meter_id: z.string().optional() })
  .openapi('BuiltInMeter');
export type BuiltInMeter = z.output<typeof builtInMeterSchema>;
export const builtInMeterListSchema = z.strictObject({ data: z.array(builtInMeterSchema) }).openapi('BuiltInMeterList');

export const backFillSchema = z
  .strictObject({
    state: z.enum(['running', 'finished', 'none']).openapi({
      description:
        'Until it is finished, and without one, queries read the events: with the same answers, only slower.',
    }),
    events_looked_at: z.int(),
    events_total: z.int().openapi({ description: 'Events of all types that were stored before the meter.' }),
    wide_dimensions: z.array(z.string()).openapi({
      description:
        'Dimensions with more values than are counted apart at the moment: queries that use them read the events of the ' +
        'time since. One with no new value for a week is not wide any more.',
    }),
  })
  .openapi('MeterBackFill');
export type BackFill = z.output<typeof backFillSchema>;
