import { z } from '@hono/zod-openapi';
import { instantSchema, ulidSchema } from '../../platform/http/schemas.ts';

/** Ids of other systems: as long as any key of the contract. */
export const externalIdSchema = z.string().min(1).max(256);
/** A number of the external system's. What drafts are called is left to us: the next draft could not have its own. */
const invoiceNumberSchema = externalIdSchema.regex(/^(?!DRAFT-)/, 'must not begin with DRAFT-');
/** Lines of an invoice and what stands under them. */
export const MAX_LINE_IDS = 10_000;

export const draftSynchronizedSchema = z
  .strictObject({
    invoicing: z
      .strictObject({
        invoice_number: invoiceNumberSchema.optional(),
        external_id: externalIdSchema.optional(),
        line_external_ids: z
          .array(z.strictObject({ line_id: ulidSchema, external_id: externalIdSchema }))
          .max(MAX_LINE_IDS)
          .optional(),
      })
      .optional(),
  })
  .openapi('ExternalInvoicingDraftSynchronized');
export type DraftSynchronized = z.output<typeof draftSynchronizedSchema>;

export const issuingSynchronizedSchema = z
  .strictObject({
    invoicing: z
      .strictObject({ invoice_number: invoiceNumberSchema.optional(), sent_to_customer_at: instantSchema.optional() })
      .optional(),
    payment: z.strictObject({ external_id: externalIdSchema.optional() }).optional(),
  })
  .openapi('ExternalInvoicingIssuingSynchronized');
export type IssuingSynchronized = z.output<typeof issuingSynchronizedSchema>;

export const PAYMENT_TRIGGERS = {
  authorized: 'authorized',
  paid: 'paid',
  payment_failed: 'failed',
  payment_uncollectible: 'uncollectible',
  payment_overdue: 'overdue',
  action_required: 'action_required',
  void: 'void',
} as const;

export const paymentStatusSchema = z
  .strictObject({
    trigger: z.enum(
      Object.keys(PAYMENT_TRIGGERS) as [keyof typeof PAYMENT_TRIGGERS, ...(keyof typeof PAYMENT_TRIGGERS)[]],
    ),
  })
  .openapi('ExternalInvoicingPaymentStatus');
export type PaymentStatus = z.output<typeof paymentStatusSchema>;
