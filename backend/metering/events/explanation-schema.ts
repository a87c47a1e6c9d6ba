import { z } from '@hono/zod-openapi';
import { dateTimeSchema, ulidSchema } from '../../platform/http/schemas.ts';
import { ingestedEventSchema } from './schema.ts';

const countingReasonSchema = z
  .strictObject({
    code: z.string().openapi({
      description:
        'event_voided, no_meter, no_customer, value_unusable, before_events_from, excluded_by_feature, no_subscription, before_subscription, after_subscription, not_in_plan, duplicates, not_stored, not_seen …',
    }),
    message: z.string(),
  })
  .openapi('CountingReason');

const meterExplanationSchema = z
  .strictObject({
    meter_id: ulidSchema,
    meter_key: z.string(),
    counts: z.boolean(),
    value: z.string().optional().openapi({ description: 'What the meter reads from the event; absent for count.' }),
    reasons: z.array(countingReasonSchema),
  })
  .openapi('MeterExplanation');

const featureExplanationSchema = z
  .strictObject({
    feature_id: ulidSchema,
    feature_key: z.string(),
    meter_key: z.string(),
    counts: z.boolean(),
    reasons: z.array(countingReasonSchema),
  })
  .openapi('FeatureExplanation');

export const eventExplanationSchema = z
  .strictObject({
    event: ingestedEventSchema,
    counts: z.boolean().openapi({ description: 'Whether a meter counts it.' }),
    meters: z.array(meterExplanationSchema),
    features: z
      .array(featureExplanationSchema)
      .openapi({ description: 'The features of the meters that count it: what invoices and entitlements go by.' }),
    reasons: z.array(countingReasonSchema).openapi({ description: 'Why it does not count, or not everywhere.' }),
  })
  .openapi('EventExplanation');
export type EventExplanation = z.output<typeof eventExplanationSchema>;

export const explanationSchema = z
  .strictObject({
    data: z.array(eventExplanationSchema),
    types: z
      .array(
        z.strictObject({
          type: z.string(),
          events: z.int().openapi({ description: 'Events that are not void.' }),
          voided: z.int(),
          last_seen_at: dateTimeSchema,
          meters: z.array(z.string()).openapi({ description: 'Keys of the meters of this type.' }),
        }),
      )
      .optional()
      .openapi({ description: 'For a subject: what it has sent in all time.' }),
    reasons: z.array(countingReasonSchema).openapi({ description: 'What holds for all of it.' }),
  })
  .openapi('Explanation');
export type Explanation = z.output<typeof explanationSchema>;
