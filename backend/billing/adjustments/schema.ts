import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import { dateTimeSchema, numericSchema, ulidSchema } from '../../platform/http/schemas.ts';
import { periodSchema } from '../invoice-records/index.ts';

export const adjustmentSchema = z
  .strictObject({
    id: ulidSchema,
    created_at: dateTimeSchema,
    reason: z
      .enum([
        'late_usage',
        'voided_events',
        'lower_usage',
        'unused_time',
        'longer_time',
        'carried_over',
        'credit_used_twice',
        'credit_without_payment',
      ])
      .openapi({
        description:
          'lower_usage: an event came late that says less, such as a negative one. credit_used_twice, ' +
          'credit_without_payment: a credit was used, and the invoice that it was on, or for, came to something else in the ' +
          'end.',
      }),
    name: z.string(),
    description: z.string(),
    currency: z.string(),
    amount: numericSchema.openapi({ description: 'Negative: given back.' }),
    quantity_before: numericSchema.optional(),
    quantity_after: numericSchema.optional(),
    service_period: periodSchema,
    charge: z.strictObject({ id: ulidSchema }).optional(),
    state: z.enum(['pending', 'invoiced', 'reported', 'paid_out', 'written_off', 'withdrawn']).openapi({
      description:
        'pending: for the next invoice. reported: only listed, as the profile says, because it costs nothing, or because ' +
        'it takes away what was let off before. paid_out, written_off: settled without an invoice. withdrawn: what it gave back is not billed any more.',
    }),
    settled_at: dateTimeSchema.optional(),
    note: z.string().optional(),
    line: z.strictObject({ id: ulidSchema }).optional(),
  })
  .openapi('BillingCorrection');
export type AdjustmentBody = z.input<typeof adjustmentSchema>;

export const adjustmentPageSchema = z
  .strictObject({
    data: z.array(adjustmentSchema),
    meta: pageMetaSchema,
    owed: z.array(z.strictObject({ currency: z.string(), amount: numericSchema })).openapi({
      description:
        'What the customer has to get back, by currency: the next invoice takes it off, or, where none comes, it is paid ' +
        'out or written off.',
    }),
  })
  .openapi('BillingCorrectionPage');

/** A line of a bank statement or of a letter. */
const MAX_NOTE_LENGTH = 1024;

export const settleAdjustmentSchema = z
  .strictObject({
    how: z.enum(['paid_out', 'written_off']).openapi({
      description:
        'paid_out: the customer has got the money, which this server does not send. written_off: nobody gets or pays it.',
    }),
    note: z.string().min(1).max(MAX_NOTE_LENGTH).optional(),
  })
  .openapi('SettleBillingCorrectionRequest');
export type SettleAdjustment = z.output<typeof settleAdjustmentSchema>;
