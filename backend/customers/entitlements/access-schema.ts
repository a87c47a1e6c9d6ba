import { z } from '@hono/zod-openapi';
import { cursorMetaSchema } from '../../platform/http/paging.ts';
import { dateTimeSchema, numericSchema, resourceKeySchema } from '../../platform/http/schemas.ts';
import { customerSchema } from '../customers/index.ts';

/** The contract's bounds on one query. */
const MAX_KEYS = 100;

const customerKeysSchema = z.array(z.string().min(1).max(512)).min(1).max(MAX_KEYS);

export const accessQuerySchema = z
  .strictObject({
    include_credits: z.boolean().default(false),
    customer: z
      .strictObject({ keys: customerKeysSchema })
      .openapi({ description: 'Keys or subject keys of customers.' }),
    feature: z
      .strictObject({ keys: z.array(resourceKeySchema).min(1).max(MAX_KEYS) })
      .optional()
      .openapi({ description: 'Left out: all features that are not archived.' }),
  })
  .openapi('EntitlementAccessQueryRequest');
export type AccessQuery = z.output<typeof accessQuerySchema>;

const reasonSchema = z
  .strictObject({
    code: z.enum(['unknown', 'usage_limit_reached', 'feature_unavailable', 'feature_not_found', 'no_credit_available']),
    message: z.string(),
    attributes: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi('EntitlementFeatureAccessReason');

const featureAccessSchema = z
  .strictObject({ has_access: z.boolean(), reason: reasonSchema.optional() })
  .openapi('EntitlementFeatureAccess');
export type FeatureAccess = z.output<typeof featureAccessSchema>;

const errorSchema = z
  .strictObject({
    code: z.enum(['unknown', 'customer_not_found']),
    message: z.string(),
    attributes: z.record(z.string(), z.unknown()).optional(),
    customer: z.string().optional(),
  })
  .openapi('EntitlementAccessQueryError');

export const accessQueryAnswerSchema = z
  .strictObject({
    data: z.array(
      z
        .strictObject({
          matched: z.array(z.string()),
          customer: customerSchema,
          features: z.record(z.string(), featureAccessSchema),
          updated_at: dateTimeSchema,
        })
        .openapi('EntitlementAccessQueryResult'),
    ),
    errors: z.array(errorSchema),
    meta: cursorMetaSchema,
  })
  .openapi('EntitlementAccessQueryResponse');
export type AccessQueryAnswer = z.output<typeof accessQueryAnswerSchema>;

const featureBalanceSchema = z
  .strictObject({
    has_access: z.boolean(),
    reason: reasonSchema.optional(),
    type: z.enum(['metered', 'static', 'boolean']).optional(),
    is_soft_limit: z.boolean().optional(),
    balance: numericSchema.optional().openapi({ description: 'What is left.' }),
    usage: numericSchema.optional().openapi({ description: 'Since the last reset.' }),
    total_available: numericSchema
      .optional()
      .openapi({ description: 'What there is in this usage period, used or not: the limit that headers show.' }),
    resets_at: dateTimeSchema.optional().openapi({ description: 'When usage begins anew.' }),
    meter: z
      .strictObject({ event_type: z.string(), aggregation: z.string(), value_property: z.string().optional() })
      .optional()
      .openapi({ description: 'What counts, so that a gateway can count along.' }),
  })
  .openapi('EntitlementFeatureBalance');
export type FeatureBalance = z.output<typeof featureBalanceSchema>;

export const balancesAnswerSchema = z
  .strictObject({
    data: z.array(
      z
        .strictObject({
          matched: z.array(z.string()),
          customer: z.strictObject({ id: z.string(), key: z.string() }),
          subjects: z.array(z.string()).openapi({ description: "Subjects whose events are the customer's." }),
          features: z.record(z.string(), featureBalanceSchema),
          updated_at: dateTimeSchema,
        })
        .openapi('EntitlementBalancesResult'),
    ),
    errors: z.array(errorSchema),
    meta: cursorMetaSchema,
  })
  .openapi('EntitlementBalancesResponse');
export type BalancesAnswer = z.output<typeof balancesAnswerSchema>;
