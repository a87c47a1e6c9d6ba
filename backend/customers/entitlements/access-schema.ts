import { z } from '@hono/zod-openapi';
import { cursorMetaSchema } from '../../platform/http/paging.ts';
import {
  dateTimeSchema,
  nonNegativeNumericSchema,
  numericSchema,
  resourceKeySchema,
} from '../../platform/http/schemas.ts';
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

/** More units than any meter counts are a fault of who asks. */
const unitsSchema = nonNegativeNumericSchema.refine((text) => text.length <= 24, 'must have at most 24 characters');

export const leaseQuerySchema = z
  .strictObject({
    node: z
      .string()
      .regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, "_" or "-"')
      .openapi({ description: 'One running gateway node; another one each time that it starts.' }),
    feature: z.strictObject({ key: resourceKeySchema }),
    customers: z
      .array(
        z.strictObject({
          key: z.string().min(1).max(512),
          turn: z.int().min(0).openapi({ description: 'Rises with each question of the node about the key.' }),
          outstanding: unitsSchema.openapi({
            description:
              'Of the lease it has: what it may still let through, and what it has and no event has told yet.',
          }),
          wanted: unitsSchema.openapi({ description: 'What it would like to have besides.' }),
        }),
      )
      .min(1)
      .max(MAX_KEYS)
      .refine((rows) => new Set(rows.map(({ key }) => key)).size === rows.length, 'must not have a key twice'),
  })
  .openapi('CreditLeaseQueryRequest');
export type LeaseQuery = z.output<typeof leaseQuerySchema>;

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

const countedMeterSchema = z
  .strictObject({ event_type: z.string(), aggregation: z.string(), value_property: z.string().optional() })
  .openapi({ description: 'What counts, so that a gateway can count along.' });

const creditSchema = z
  .strictObject({
    currency: z.string(),
    amount_left: numericSchema.openapi({
      description: 'Not rounded. Features that are paid by the same credit share it.',
    }),
    units_left: numericSchema.optional().openapi({
      description:
        'Whole units of the meter that can still be paid; left out: any number. What is leased is taken off.',
    }),
    next_unit_cost: numericSchema,
    meter: countedMeterSchema.optional(),
    leases: z
      .array(
        z.strictObject({
          customer_key: z.string(),
          units: numericSchema.openapi({ description: 'What was outstanding, and what was given.' }),
          valid_for_ms: z.int().openapi({ description: 'From the moment on at which the node asked.' }),
        }),
      )
      .optional()
      .openapi({ description: 'What the node may go by; without those of which a later question was answered.' }),
  })
  .openapi('EntitlementFeatureCredit');

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
    meter: countedMeterSchema.optional(),
    credit: creditSchema.optional().openapi({
      description: 'With include_credits, of features that stop without credit and cost something.',
    }),
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
