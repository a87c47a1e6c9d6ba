import { z } from '@hono/zod-openapi';
import { dateTimeSchema } from '../../platform/http/schemas.ts';
import { durationFrom, parseDuration } from '../../platform/period/index.ts';

/** ISO 8601, nothing negative: waiting times. */
const waitSchema = z
  .string()
  .max(64)
  .refine((text) => isWait(text), {
    error: 'must be an ISO 8601 duration that is not negative, such as "P1D"',
    params: { rule: 'matches_regex' },
  });

function isWait(text: string): boolean {
  const duration = parseDuration(text);
  return duration !== undefined && Object.values(duration).every((part: number) => part >= 0);
}

const recurringPeriodSchema = z
  .strictObject({
    anchor: dateTimeSchema,
    interval: waitSchema.refine((text) => isWait(text) && Object.values(durationFrom(text)).some((part) => part > 0), {
      error: 'must be longer than nothing',
    }),
  })
  .openapi('RecurringPeriod');

const alignmentSchema = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('subscription') }),
    z.strictObject({ type: z.literal('anchored'), recurring_period: recurringPeriodSchema }),
  ])
  .openapi('BillingWorkflowCollectionAlignment');

const collectionSchema = z
  .strictObject({
    alignment: alignmentSchema.default({ type: 'subscription' }),
    interval: waitSchema.default('PT1H').openapi({ description: 'How long an invoice waits for late events.' }),
  })
  .openapi('BillingWorkflowCollectionSettings');

const invoicingSchema = z
  .strictObject({
    auto_advance: z.boolean().default(true).openapi({ description: 'False: somebody has to approve each invoice.' }),
    draft_period: waitSchema.default('P0D'),
    progressive_billing: z.boolean().default(true),
    subscription_end_proration_mode: z.enum(['bill_full_period', 'bill_actual_period']).default('bill_actual_period'),
  })
  .openapi('BillingWorkflowInvoicingSettings');

export const paymentSchema = z
  .discriminatedUnion('collection_method', [
    z.strictObject({ collection_method: z.literal('charge_automatically') }),
    z.strictObject({ collection_method: z.literal('send_invoice'), due_after: waitSchema.default('P30D') }),
  ])
  .openapi('BillingWorkflowPaymentSettings');

const CODES_MOVED = 'cannot be set on a profile: the default tax code of the organization is used';
const noCode = z
  .undefined({ error: CODES_MOVED })
  .openapi({ type: 'string', description: `Refused: it ${CODES_MOVED}.` });
const taxSchema = z
  .strictObject({
    enabled: z.boolean().default(true),
    enforced: z.boolean().default(false),
    default_tax_config: z
      .strictObject({
        behavior: z.enum(['inclusive', 'exclusive']).optional(),
        external_invoicing: noCode.optional(),
        stripe: noCode.optional(),
        tax_code_id: noCode.optional(),
        tax_code: noCode.optional(),
      })
      .optional(),
  })
  .refine((tax) => tax.enabled || !tax.enforced, { path: ['enforced'], error: 'cannot be true while enabled is false' })
  .openapi('BillingWorkflowTaxSettings');

/** How invoices of a profile come about. Answers carry every setting, defaults written out. */
export const workflowSchema = z
  .strictObject({
    collection: collectionSchema.default({ alignment: { type: 'subscription' }, interval: 'PT1H' }),
    invoicing: invoicingSchema.default({
      auto_advance: true,
      draft_period: 'P0D',
      progressive_billing: true,
      subscription_end_proration_mode: 'bill_actual_period',
    }),
    payment: paymentSchema.default({ collection_method: 'charge_automatically' }),
    tax: taxSchema.default({ enabled: true, enforced: false }),
  })
  .openapi('BillingWorkflow');
export type Workflow = z.output<typeof workflowSchema>;
/** Settings of an invoice that may still be changed while it is a draft. */
export const invoiceInvoicingSchema = z.strictObject({
  auto_advance: z.boolean().default(true),
  draft_period: waitSchema.default('P0D'),
});
