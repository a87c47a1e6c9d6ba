import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../../platform/http/paging.ts';
import { dateTimeSchema, numericSchema, ulidSchema } from '../../../platform/http/schemas.ts';
import { periodSchema } from '../line-schema.ts';

const correctionSchema = z
  .strictObject({
    id: ulidSchema,
    created_at: dateTimeSchema,
    reason: z
      .enum(['late_usage', 'voided_events', 'lower_usage', 'unused_time', 'longer_time', 'carried_over'])
      .openapi({
        description: 'lower_usage: an event came late that says less, such as a negative one.',
      }),
    name: z.string(),
    description: z.string(),
    currency: z.string(),
    amount: numericSchema.openapi({ description: 'Negative: given back.' }),
    quantity_before: numericSchema.optional(),
    quantity_after: numericSchema.optional(),
    service_period: periodSchema,
    charge: z.strictObject({ id: ulidSchema }).optional(),
    state: z.enum(['pending', 'invoiced', 'reported']).openapi({
      description:
        'pending: for the next invoice. reported: only listed, as the profile says, or because it costs nothing.',
    }),
    line: z.strictObject({ id: ulidSchema }).optional(),
  })
  .openapi('BillingCorrection');
export type CorrectionBody = z.input<typeof correctionSchema>;

export const correctionPageSchema = z
  .strictObject({ data: z.array(correctionSchema), meta: pageMetaSchema })
  .openapi('BillingCorrectionPage');
