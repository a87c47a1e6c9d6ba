import { z } from '@hono/zod-openapi';
import { rateCardSchema } from '../../catalog/product-catalog/index.ts';
import {
  dateTimeSchema,
  descriptionSchema,
  instantSchema,
  labelsSchema,
  nameSchema,
  numericSchema,
  resourceKeySchema,
  ulidSchema,
} from '../../platform/http/schemas.ts';

const card = rateCardSchema.shape;
export const priceSchema = card.price;
export const unitConfigSchema = card.unit_config;
export const discountsSchema = card.discounts;
export const commitmentsSchema = card.commitments;
export const paymentTermSchema = card.payment_term;
const lineTaxConfigSchema = card.tax_config;

export const periodSchema = z.strictObject({ from: instantSchema, to: instantSchema }).openapi('ClosedPeriod');

export const totalsSchema = z
  .strictObject({
    amount: numericSchema,
    taxes_total: numericSchema,
    taxes_inclusive_total: numericSchema,
    taxes_exclusive_total: numericSchema,
    charges_total: numericSchema,
    discounts_total: numericSchema,
    credits_total: numericSchema,
    total: numericSchema,
  })
  .openapi('BillingTotals');
export type TotalsBody = z.output<typeof totalsSchema>;

const reasonSchema = z.enum(['maximum_spend', 'ratecard_percentage', 'ratecard_usage']);
const lineDiscountsSchema = z
  .strictObject({
    amount: z.array(z.strictObject({ id: ulidSchema, reason: reasonSchema, amount: numericSchema })).optional(),
    usage: z.array(z.strictObject({ id: ulidSchema, reason: reasonSchema, quantity: numericSchema })).optional(),
  })
  .openapi('BillingInvoiceLineDiscounts');
const creditsAppliedSchema = z.array(z.strictObject({ amount: numericSchema, description: z.string().optional() }));
const lineReferencesSchema = z.strictObject({ invoicing_id: z.string().optional() });

const detailedLineSchema = z
  .strictObject({
    id: ulidSchema,
    name: nameSchema,
    description: descriptionSchema.optional(),
    created_at: dateTimeSchema,
    updated_at: dateTimeSchema,
    service_period: periodSchema,
    totals: totalsSchema,
    category: z.enum(['regular', 'commitment']),
    discounts: lineDiscountsSchema.optional(),
    credits_applied: creditsAppliedSchema.optional(),
    external_references: lineReferencesSchema.optional(),
    quantity: numericSchema,
    unit_price: numericSchema,
  })
  .openapi('BillingInvoiceDetailedLine');

const subscriptionReferenceSchema = z
  .strictObject({
    id: ulidSchema,
    phase: z.strictObject({ id: ulidSchema, item: z.strictObject({ id: ulidSchema }) }),
  })
  .openapi('BillingSubscriptionReference');

const lineFields = {
  name: nameSchema,
  description: descriptionSchema.optional(),
  labels: labelsSchema.optional(),
  type: z.literal('standard_line'),
  service_period: periodSchema,
};

export const invoiceLineSchema = z
  .strictObject({
    ...lineFields,
    id: ulidSchema,
    created_at: dateTimeSchema,
    updated_at: dateTimeSchema,
    deleted_at: dateTimeSchema.optional(),
    lifecycle_controller: z.enum(['system', 'manual']),
    totals: totalsSchema,
    discounts: lineDiscountsSchema.optional(),
    credits_applied: creditsAppliedSchema.optional(),
    external_references: lineReferencesSchema.optional(),
    subscription: subscriptionReferenceSchema.optional(),
    rate_card: z
      .strictObject({
        price: priceSchema,
        tax_config: lineTaxConfigSchema,
        feature_key: resourceKeySchema.optional(),
        discounts: discountsSchema,
        unit_config: unitConfigSchema,
      })
      .openapi('BillingInvoiceLineRateCard'),
    detailed_lines: z.array(detailedLineSchema),
    usage_quantity_detail: z
      .strictObject({
        raw_quantity: numericSchema,
        invoiced_quantity: numericSchema,
        display_unit: z.string().optional(),
      })
      .optional(),
    charge: z.strictObject({ id: ulidSchema }).optional(),
  })
  .openapi('BillingInvoiceLine');

/** A line as a client asks for it: with the id of one that is there, or without for a new one. */
export const updateLineSchema = z
  .strictObject({
    ...lineFields,
    id: ulidSchema.optional(),
    rate_card: z
      .strictObject({
        price: priceSchema,
        tax_config: lineTaxConfigSchema,
        feature_key: resourceKeySchema.optional(),
        discounts: discountsSchema,
      })
      .openapi('UpdateInvoiceLineRateCard'),
  })
  .openapi('UpdateInvoiceLine');
export type UpdateLine = z.output<typeof updateLineSchema>;
