import { z } from '@hono/zod-openapi';
import { dimensionFilterSchema } from '../../metering/meters/index.ts';
import { cursorMetaSchema } from '../../platform/http/paging.ts';
import { dateTimeSchema, numericSchema, ulidSchema } from '../../platform/http/schemas.ts';
import { periodSchema } from '../invoice-records/index.ts';

const tracedEventSchema = z
  .strictObject({
    id: z.string(),
    source: z.string(),
    type: z.string(),
    subject: z.string(),
    time: dateTimeSchema,
    stored_at: dateTimeSchema,
    data: z.unknown().optional(),
    value: z
      .string()
      .optional()
      .openapi({ description: 'What the meter takes from the event; missing where it only counts.' }),
    change: z.enum(['stored', 'voided', 'restored']).optional().openapi({
      description: 'Corrections: what happened to the event after its period was billed.',
    }),
    changed_at: dateTimeSchema.optional(),
  })
  .openapi('BilledEvent');
export type TracedEvent = z.input<typeof tracedEventSchema>;

export const tracedEventPageSchema = z
  .strictObject({ data: z.array(tracedEventSchema), meta: cursorMetaSchema })
  .openapi('BilledEventPage');

const reasonSchema = z.strictObject({
  code: z.enum([
    'not_metered',
    'feature_without_meter',
    'no_subjects',
    'no_events',
    'events_outside_period',
    'events_filtered_out',
    'events_voided',
    'events_of_other_subjects',
    'free_units',
    'period_not_begun',
  ]),
  message: z.string(),
});
export type EmptyReason = z.output<typeof reasonSchema>;

export const explanationSchema = z
  .strictObject({
    line_id: ulidSchema.optional(),
    charge_id: ulidSchema.optional(),
    name: z.string(),
    service_period: periodSchema,
    feature: z.strictObject({ id: ulidSchema, key: z.string() }).optional(),
    meter: z
      .strictObject({ id: ulidSchema, key: z.string(), aggregation: z.string(), event_type: z.string() })
      .optional(),
    filters: z.record(z.string(), dimensionFilterSchema),
    subjects: z.array(z.string()),
    quantity: numericSchema.optional().openapi({ description: "In the meter's unit." }),
    counted_at: dateTimeSchema
      .optional()
      .openapi({ description: 'When the quantity was taken; missing while it still runs.' }),
    total: numericSchema,
    steps: z
      .array(z.strictObject({ rule: z.string(), text: z.string(), result: z.string().nullable() }))
      .openapi({ description: 'How the money came about, step by step.' }),
    empty_because: z.array(reasonSchema).openapi({ description: 'Why there is nothing, where there is nothing.' }),
  })
  .openapi('BillingLineExplanation');
export type Explanation = z.input<typeof explanationSchema>;
