import { z } from '@hono/zod-openapi';
import { dateTimeSchema, ulidSchema } from '../../platform/http/schemas.ts';
import { ingestedEventSchema } from './schema.ts';

export const countingReasonSchema = z
  .strictObject({
    code: z.string().openapi({
      description:
        'event_voided, no_meter, no_customer, value_unusable, before_events_from, excluded_by_feature, before_subscription, duplicates, not_stored, not_seen …',
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

export const eventExplanationSchema = z
  .strictObject({
    event: ingestedEventSchema,
    counts: z.boolean().openapi({ description: 'Whether a meter counts it.' }),
    meters: z.array(meterExplanationSchema),
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
