import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import { dateTimeSchema, instantSchema, numericSchema, ulidSchema } from '../../platform/http/schemas.ts';
import { PAYMENT_METHODS, PAYMENT_STATES } from './types.ts';

const referenceSchema = z.string().min(1).max(256);
const noteSchema = z.string().max(1024);

export const paymentSchema = z
  .strictObject({
    id: ulidSchema,
    invoice: z.strictObject({ id: ulidSchema }),
    app: z.strictObject({ id: ulidSchema }),
    external_id: z.string().optional(),
    reference: z.string().optional(),
    amount: numericSchema,
    currency: z.string(),
    state: z.enum(PAYMENT_STATES),
    method: z.enum(PAYMENT_METHODS),
    note: z.string().optional(),
    failure: z.strictObject({ code: z.string(), message: z.string() }).optional(),
    paid_at: dateTimeSchema,
    created_at: dateTimeSchema,
    updated_at: dateTimeSchema,
  })
  .openapi('InvoicePayment');
export type PaymentBody = z.input<typeof paymentSchema>;

export const paymentPageSchema = z
  .strictObject({
    data: z.array(paymentSchema),
    meta: pageMetaSchema,
    summary: z.strictObject({
      currency: z.string(),
      total: numericSchema,
      amount_paid: numericSchema.openapi({ description: 'Of payments that have succeeded.' }),
      amount_due: numericSchema.openapi({ description: 'What is left to pay; 0 where nobody is to pay any more.' }),
      amount_overpaid: numericSchema,
    }),
  })
  .openapi('InvoicePaymentPage');
export type PaymentPage = z.input<typeof paymentPageSchema>;

/** What a person can have seen: the others are said by apps. */
const RECORDED_METHODS = ['bank_transfer', 'card', 'cash', 'check', 'other'] as const;
export const recordPaymentSchema = z
  .strictObject({
    amount: numericSchema.optional().openapi({ description: 'Default: what is left to pay.' }),
    method: z.enum(RECORDED_METHODS).default('bank_transfer'),
    paid_at: instantSchema.optional().openapi({ description: 'Default: now.' }),
    reference: referenceSchema.optional().openapi({ description: 'Taken once for each invoice.' }),
    note: noteSchema.optional(),
  })
  .openapi('RecordInvoicePaymentRequest');
export type RecordPayment = z.output<typeof recordPaymentSchema>;

const eventSchema = z
  .strictObject({
    id: ulidSchema,
    at: dateTimeSchema,
    type: z.enum(['status', 'payment', 'app']),
    text: z.string(),
    status: z.string().optional().openapi({ description: 'The extended status that the invoice came to.' }),
    payment: z.strictObject({ id: ulidSchema }).optional(),
  })
  .openapi('InvoiceEvent');

export const timelineSchema = z
  .strictObject({ data: z.array(eventSchema), meta: pageMetaSchema })
  .openapi('InvoiceTimelinePage');
export type Timeline = z.input<typeof timelineSchema>;
