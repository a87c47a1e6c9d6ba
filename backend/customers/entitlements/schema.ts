import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import {
  dateTimeSchema,
  instantSchema,
  isoDurationSchema,
  labelsSchema,
  nonNegativeNumericSchema,
  numericSchema,
  ulidSchema,
} from '../../platform/http/schemas.ts';
import { isAtLeastAnHour, parseIsoDuration } from '../../platform/iso-duration.ts';

export type EntitlementSortField = 'created_at' | 'updated_at';
export type EntitlementFilterField = 'feature_id' | 'feature_key' | 'type' | 'customer_id';
export type GrantSortField = 'created_at' | 'updated_at' | 'effective_at' | 'expires_at';
export type GrantFilterField = 'customer_id' | 'feature_id';

/** A configuration travels with every access answer. */
const MAX_CONFIG_CHARACTERS = 65_536;
/** Grants of a new entitlement; more can follow one by one. */
const MAX_INITIAL_GRANTS = 100;

const positiveNumericSchema = nonNegativeNumericSchema.refine((text) => /[1-9]/.test(text), {
  error: 'must be greater than zero',
});
const prioritySchema = z.int().min(1).max(255).openapi({ description: 'The lower one is used up first.' });
const referenceSchema = z.strictObject({ id: ulidSchema });

/** Usage begins anew at least an hour apart, or a balance would be reckoned from thousands of periods. */
const usagePeriodSchema = z.strictObject({
  interval: isoDurationSchema.refine(
    (text) => {
      const duration = parseIsoDuration(text);
      return duration === undefined || isAtLeastAnHour(duration);
    },
    { error: 'must be an hour or longer' },
  ),
  anchor: instantSchema.optional(),
});

/** One unit only: "P1M" and "PT12H", not "P1M2D". */
const singleUnitDurationSchema = isoDurationSchema.refine(
  (text) => Object.values(parseIsoDuration(text) ?? {}).filter((part) => part > 0).length === 1,
  { error: 'must be a duration of one unit, such as "P30D"' },
);

export const createGrantSchema = z
  .strictObject({
    amount: positiveNumericSchema,
    effective_at: instantSchema.openapi({ description: 'Cut to the minute.' }),
    priority: prioritySchema.optional(),
    expires_after: singleUnitDurationSchema.optional(),
    max_rollover_amount: nonNegativeNumericSchema.optional().openapi({ description: 'Default: the amount.' }),
    min_rollover_amount: nonNegativeNumericSchema.optional().openapi({ description: 'Default: 0.' }),
    recurrence: usagePeriodSchema.optional(),
    labels: labelsSchema.optional(),
  })
  .openapi('CreateEntitlementGrantRequest');
export type CreateGrant = z.output<typeof createGrantSchema>;

const meteredRequestSchema = z.strictObject({
  type: z.literal('metered'),
  feature: referenceSchema,
  usage_period: usagePeriodSchema,
  is_soft_limit: z.boolean().default(false),
  issue: z.strictObject({ amount: nonNegativeNumericSchema, priority: prioritySchema.optional() }).optional(),
  issue_after_reset: nonNegativeNumericSchema.optional().openapi({ deprecated: true }),
  issue_after_reset_priority: prioritySchema.optional().openapi({ deprecated: true }),
  preserve_overage_at_reset: z.boolean().default(false),
  measure_usage_from: z.union([z.enum(['current_period_start', 'now']), instantSchema]).optional(),
  grants: z.array(createGrantSchema).max(MAX_INITIAL_GRANTS).optional(),
  labels: labelsSchema.optional(),
});

const configSchema = z
  .unknown()
  .superRefine((value, context) => {
    if (value === undefined) context.addIssue({ code: 'custom', message: 'is required', params: { rule: 'required' } });
    else if (JSON.stringify(value).length > MAX_CONFIG_CHARACTERS) {
      context.addIssue({ code: 'custom', message: `must have at most ${MAX_CONFIG_CHARACTERS} characters as JSON` });
    }
  })
  .openapi({ type: 'object', description: 'Any JSON; access answers carry it as text.' });

export const createEntitlementSchema = z
  .discriminatedUnion('type', [
    meteredRequestSchema,
    z.strictObject({
      type: z.literal('static'),
      feature: referenceSchema,
      config: configSchema,
      usage_period: usagePeriodSchema.optional(),
      labels: labelsSchema.optional(),
    }),
    z.strictObject({
      type: z.literal('boolean'),
      feature: referenceSchema,
      usage_period: usagePeriodSchema.optional(),
      labels: labelsSchema.optional(),
    }),
  ])
  .superRefine((request, context) => {
    if (request.type !== 'metered') return;
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message, params: { rule: 'invalid' } });
    if (request.issue !== undefined && request.grants !== undefined) refuse('grants', 'excludes issue');
    if (request.issue !== undefined && request.issue_after_reset !== undefined) {
      refuse('issue_after_reset', 'says the same as issue: give one of them');
    }
  })
  .openapi('CreateEntitlementRequest');
export type CreateEntitlement = z.output<typeof createEntitlementSchema>;

export const resetSchema = z
  .strictObject({
    effective_at: instantSchema.optional().openapi({ description: 'Cut to the minute; default now.' }),
    retain_anchor: z.boolean().default(false),
    preserve_overage: z.boolean().optional(),
  })
  .openapi('ResetEntitlementUsageRequest');
export type ResetRequest = z.output<typeof resetSchema>;

const periodSchema = z.strictObject({ from: dateTimeSchema, to: dateTimeSchema });

export const entitlementSchema = z
  .strictObject({
    id: ulidSchema,
    type: z.enum(['metered', 'static', 'boolean']),
    customer: referenceSchema,
    feature: z.strictObject({ id: ulidSchema, key: z.string() }),
    labels: labelsSchema.optional(),
    config: z.unknown().optional(),
    is_soft_limit: z.boolean().optional(),
    issue: z.strictObject({ amount: numericSchema, priority: z.int() }).optional(),
    preserve_overage_at_reset: z.boolean().optional(),
    usage_period: z.strictObject({ interval: z.string(), anchor: dateTimeSchema }).optional(),
    current_usage_period: periodSchema.optional(),
    last_reset: dateTimeSchema.optional(),
    measure_usage_from: dateTimeSchema.optional(),
    subscription: referenceSchema.optional(),
    active_from: dateTimeSchema,
    active_to: dateTimeSchema.optional(),
    created_at: dateTimeSchema,
    updated_at: dateTimeSchema,
    deleted_at: dateTimeSchema.optional(),
  })
  .openapi('Entitlement');
export type EntitlementBody = z.output<typeof entitlementSchema>;
export const entitlementPageSchema = z.strictObject({ data: z.array(entitlementSchema), meta: pageMetaSchema });

export const grantSchema = z
  .strictObject({
    id: ulidSchema,
    entitlement_id: ulidSchema,
    amount: numericSchema,
    priority: z.int(),
    effective_at: dateTimeSchema,
    expires_after: z.string().optional(),
    expires_at: dateTimeSchema.optional(),
    max_rollover_amount: numericSchema,
    min_rollover_amount: numericSchema,
    recurrence: z.strictObject({ interval: z.string(), anchor: dateTimeSchema }).optional(),
    next_recurrence: dateTimeSchema.optional(),
    labels: labelsSchema.optional(),
    voided_at: dateTimeSchema.optional(),
    created_at: dateTimeSchema,
    updated_at: dateTimeSchema,
  })
  .openapi('EntitlementGrant');
export type GrantBody = z.output<typeof grantSchema>;
export const grantPageSchema = z.strictObject({ data: z.array(grantSchema), meta: pageMetaSchema });

const valueSchema = z
  .strictObject({
    balance: numericSchema,
    usage: numericSchema,
    overage: numericSchema,
    total_available_grant_amount: numericSchema,
    grant_balances: z.record(z.string(), numericSchema),
  })
  .openapi('EntitlementValue');

/** `type` is missing when there is no entitlement. */
export const featureAccessSchema = z
  .strictObject({
    feature_key: z.string(),
    has_access: z.boolean(),
    type: z.enum(['metered', 'static', 'boolean']).optional(),
    config: z.string().optional(),
    value: valueSchema.optional(),
  })
  .openapi('EntitlementAccessValue');
export type FeatureAccessBody = z.output<typeof featureAccessSchema>;

export const historySchema = z
  .strictObject({
    windowed_history: z.array(
      z.strictObject({ period: periodSchema, usage: numericSchema, balance_at_start: numericSchema }),
    ),
    burndown_history: z.array(
      z.strictObject({
        period: periodSchema,
        usage: numericSchema,
        overage: numericSchema,
        balance: z.strictObject({ start: numericSchema, end: numericSchema }),
        grant_balances: z.strictObject({
          start: z.record(z.string(), numericSchema),
          end: z.record(z.string(), numericSchema),
        }),
        grant_usages: z.array(z.strictObject({ grant_id: z.string(), usage: numericSchema })),
      }),
    ),
  })
  .openapi('EntitlementHistory');
export type HistoryBody = z.output<typeof historySchema>;
