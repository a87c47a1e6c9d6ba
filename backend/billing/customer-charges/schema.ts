import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import {
  dateTimeSchema,
  descriptionSchema,
  instantSchema,
  labelsSchema,
  nameSchema,
  nonNegativeNumericSchema,
  numericSchema,
  percentageSchema,
  ulidSchema,
} from '../../platform/http/schemas.ts';
import {
  discountsSchema,
  paymentTermSchema,
  periodSchema,
  priceSchema,
  totalsSchema,
} from '../invoice-records/index.ts';

/** As long as an external key may be elsewhere in the contract. */
const MAX_REFERENCE_LENGTH = 256;

const currencySchema = z.string().regex(/^[A-Z]{3}$/, 'must be three capital letters, as in ISO 4217');
const moneySchema = z.strictObject({ amount: numericSchema, currency: currencySchema }).openapi('CurrencyAmount');
const prorationSchema = z.strictObject({ mode: z.enum(['no_proration', 'prorate_prices']) });
const taxConfigSchema = z
  .strictObject({
    behavior: z.enum(['inclusive', 'exclusive']).optional(),
    tax_code: z.strictObject({ id: ulidSchema }).optional(),
  })
  .openapi('BillingTaxConfig');
const settlementModeSchema = z.enum(['credit_then_invoice', 'credit_only']);

const createFields = {
  name: nameSchema,
  description: descriptionSchema.optional(),
  labels: labelsSchema.optional(),
  currency: currencySchema,
  invoice_at: instantSchema,
  service_period: periodSchema,
  full_service_period: periodSchema.optional(),
  billing_period: periodSchema.optional(),
  unique_reference_id: z.string().min(1).max(MAX_REFERENCE_LENGTH).optional(),
  settlement_mode: settlementModeSchema,
  tax_config: taxConfigSchema.optional(),
  feature_id: ulidSchema.optional(),
};

export const createChargeSchema = z
  .discriminatedUnion('type', [
    z.strictObject({
      ...createFields,
      type: z.literal('flat_fee'),
      payment_term: z.enum(['in_advance', 'in_arrears']),
      proration_configuration: prorationSchema,
      amount_before_proration: z.strictObject({ amount: nonNegativeNumericSchema, currency: currencySchema }),
      discounts: z
        .strictObject({
          percentage: percentageSchema.optional(),
        })
        .optional(),
    }),
    z.strictObject({
      ...createFields,
      type: z.literal('usage_based'),
      feature_key: z.string().max(64).optional().openapi({ description: 'In place of feature_id.' }),
      price: priceSchema,
      discounts: discountsSchema,
    }),
  ])
  .refine(
    (charge) => charge.type === 'flat_fee' || charge.feature_id !== undefined || charge.feature_key !== undefined,
    {
      path: ['feature_id'],
      error: 'is required, or feature_key',
      params: { rule: 'required' },
    },
  )
  .openapi('CreateChargeRequest');
export type CreateCharge = z.output<typeof createChargeSchema>;

const chargeFields = {
  id: ulidSchema,
  name: nameSchema,
  description: descriptionSchema.optional(),
  labels: labelsSchema.optional(),
  created_at: dateTimeSchema,
  updated_at: dateTimeSchema,
  deleted_at: dateTimeSchema.optional(),
  customer: z.strictObject({ id: ulidSchema }),
  lifecycle_controller: z.enum(['system', 'manual']),
  subscription: z
    .strictObject({
      id: ulidSchema,
      phase: z.strictObject({ id: ulidSchema, item: z.strictObject({ id: ulidSchema }) }),
    })
    .optional(),
  currency: z.string(),
  status: z.enum(['created', 'active', 'final', 'deleted']),
  invoice_at: dateTimeSchema,
  service_period: periodSchema,
  full_service_period: periodSchema,
  billing_period: periodSchema,
  unique_reference_id: z.string().optional(),
  settlement_mode: settlementModeSchema,
  tax_config: taxConfigSchema.optional(),
  discounts: discountsSchema,
  price: priceSchema,
};

export const chargeSchema = z
  .discriminatedUnion('type', [
    z.strictObject({
      ...chargeFields,
      type: z.literal('flat_fee'),
      feature_key: z.string().optional(),
      feature_id: z.string().optional(),
      payment_term: paymentTermSchema,
      proration_configuration: prorationSchema,
      amount_after_proration: moneySchema,
    }),
    z.strictObject({
      ...chargeFields,
      type: z.literal('usage_based'),
      feature_key: z.string(),
      feature_id: z.string(),
      totals: z.strictObject({ booked: totalsSchema, realtime: totalsSchema.optional() }),
    }),
  ])
  .openapi('BillingCharge');

export const chargePageSchema = z
  .strictObject({ data: z.array(chargeSchema), meta: pageMetaSchema })
  .openapi('ChargePagePaginatedResponse');
