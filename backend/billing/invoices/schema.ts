import { z } from '@hono/zod-openapi';
import { addressSchema, customerKeySchema, usageAttributionSchema } from '../../customers/customers/index.ts';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import {
  dateTimeSchema,
  descriptionSchema,
  labelsSchema,
  nameSchema,
  ulidSchema,
} from '../../platform/http/schemas.ts';
import {
  appReferenceSchema,
  invoiceInvoicingSchema,
  invoiceSupplierSchema,
  paymentSchema,
  profileReferenceSchema,
} from '../billing-profiles/index.ts';
import { invoiceLineSchema, periodSchema, totalsSchema, updateLineSchema } from '../invoice-records/index.ts';

const actionSchema = z.strictObject({ resulting_state: z.string() }).optional();
const actionsSchema = z
  .strictObject({
    advance: actionSchema,
    approve: actionSchema,
    delete: actionSchema,
    retry: actionSchema,
    snapshot_quantities: actionSchema,
  })
  .openapi('BillingInvoiceAvailableActions');

const STATUSES = [
  'draft',
  'issuing',
  'issued',
  'payment_processing',
  'overdue',
  'paid',
  'uncollectible',
  'voided',
] as const;

const issueSchema = z
  .strictObject({
    code: z.string(),
    message: z.string(),
    severity: z.enum(['critical', 'warning']),
    field: z.string().optional(),
    attributes: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi('BillingInvoiceValidationIssue');

const invoiceCustomerSchema = z
  .strictObject({
    id: ulidSchema,
    key: customerKeySchema.optional(),
    name: nameSchema,
    usage_attribution: usageAttributionSchema.optional(),
    billing_address: addressSchema.optional(),
  })
  .openapi('BillingInvoiceCustomer');

/** A standard invoice, and the shape of previews. */
export const invoiceSchema = z
  .strictObject({
    id: ulidSchema,
    description: descriptionSchema.optional(),
    labels: labelsSchema.optional(),
    created_at: dateTimeSchema,
    updated_at: dateTimeSchema,
    deleted_at: dateTimeSchema.optional(),
    number: z.string().min(1).max(256),
    currency: z.string(),
    supplier: invoiceSupplierSchema,
    customer: invoiceCustomerSchema,
    totals: totalsSchema,
    service_period: periodSchema,
    validation_issues: z.array(issueSchema).optional(),
    external_references: z
      .strictObject({ invoicing_id: z.string().optional(), payment_id: z.string().optional() })
      .optional(),
    type: z.literal('standard'),
    status: z.enum(STATUSES).openapi('BillingInvoiceStandardStatus'),
    status_details: z.strictObject({
      immutable: z.boolean(),
      failed: z.boolean(),
      extended_status: z.string(),
      available_actions: actionsSchema,
    }),
    issued_at: dateTimeSchema.optional(),
    draft_until: dateTimeSchema.optional(),
    quantity_snapshotted_at: dateTimeSchema.optional(),
    collection_at: dateTimeSchema.optional(),
    due_at: dateTimeSchema.optional(),
    sent_to_customer_at: dateTimeSchema.optional(),
    workflow: z.strictObject({
      apps: z.strictObject({ tax: appReferenceSchema, invoicing: appReferenceSchema, payment: appReferenceSchema }),
      source_billing_profile: profileReferenceSchema,
      workflow: z.strictObject({
        invoicing: z.strictObject({ auto_advance: z.boolean(), draft_period: z.string(), due_after: z.string() }),
        payment: paymentSchema,
      }),
    }),
    lines: z.array(invoiceLineSchema).optional(),
  })
  .openapi('BillingInvoice');

export const invoicePageSchema = z
  .strictObject({ data: z.array(invoiceSchema), meta: pageMetaSchema })
  .openapi('InvoicePagePaginatedResponse');

/** Lines of one invoice: more than any plan has cards, and still one transaction of well under a second. */
const MAX_LINES = 1000;

export const updateInvoiceSchema = z
  .strictObject({
    description: descriptionSchema.optional(),
    labels: labelsSchema.optional(),
    supplier: invoiceSupplierSchema,
    customer: invoiceCustomerSchema,
    type: z.literal('standard'),
    workflow: z.strictObject({
      workflow: z.strictObject({ invoicing: invoiceInvoicingSchema.optional(), payment: paymentSchema.optional() }),
    }),
    lines: z.array(updateLineSchema).max(MAX_LINES).optional(),
  })
  .openapi('UpdateInvoiceRequest');
export type UpdateInvoice = z.output<typeof updateInvoiceSchema>;

/** What the list of invoices can be sorted and filtered by. */
