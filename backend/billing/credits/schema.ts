import { z } from '@hono/zod-openapi';
import { cursorMetaSchema, pageMetaSchema } from '../../platform/http/paging.ts';
import {
  dateTimeSchema,
  descriptionSchema,
  instantSchema,
  isMatchable,
  isoDurationSchema,
  labelsSchema,
  MATCHABLE,
  nameSchema,
  nonNegativeNumericSchema,
  numericSchema,
  resourceFields,
  resourceKeySchema,
  ulidSchema,
} from '../../platform/http/schemas.ts';

const MAX_FEATURES = 100;

const currencySchema = z
  .string()
  .regex(
    /^[A-Z]{3}$|^.{4,24}$/u,
    'must be three capital letters (ISO 4217), or the 4 to 24 characters of a custom code',
  );
const fiatSchema = z.string().regex(/^[A-Z]{3}$/, 'must be three capital letters, as in ISO 4217');
const fundingSchema = z.enum(['none', 'invoice', 'external']);
const paymentStatusSchema = z.enum(['pending', 'authorized', 'settled']);
const availabilitySchema = z.enum(['on_creation']);
const taxConfigSchema = z.strictObject({
  behavior: z.enum(['inclusive', 'exclusive']).optional(),
  tax_code: z.strictObject({ id: ulidSchema }).optional(),
});
const filtersSchema = z.strictObject({ features: z.array(resourceKeySchema).max(MAX_FEATURES).optional() });
const prioritySchema = z.int().min(1).max(1000);
const keySchema = z.string().min(1).max(256).refine(isMatchable, MATCHABLE);
const namedFields = { name: nameSchema, description: descriptionSchema.optional(), labels: labelsSchema.optional() };

export const createGrantSchema = z
  .strictObject({
    ...namedFields,
    funding_method: fundingSchema,
    currency: currencySchema,
    amount: nonNegativeNumericSchema,
    purchase: z
      .strictObject({
        currency: fiatSchema,
        per_unit_cost_basis: nonNegativeNumericSchema.default('1.0'),
        availability_policy: availabilitySchema.default('on_creation'),
      })
      .optional(),
    tax_config: taxConfigSchema.optional(),
    filters: filtersSchema.optional(),
    priority: prioritySchema.default(10),
    effective_at: instantSchema.optional(),
    expires_after: isoDurationSchema.optional(),
    key: keySchema.optional(),
  })
  .openapi('CreateCreditGrantRequest');
export type CreateGrant = z.output<typeof createGrantSchema>;

export const grantSchema = z
  .strictObject({
    ...resourceFields,
    funding_method: fundingSchema,
    currency: currencySchema,
    amount: numericSchema,
    purchase: z
      .strictObject({
        currency: fiatSchema,
        per_unit_cost_basis: numericSchema.optional(),
        amount: numericSchema,
        availability_policy: availabilitySchema.optional(),
        settlement_status: paymentStatusSchema.optional(),
      })
      .optional(),
    tax_config: taxConfigSchema.optional(),
    filters: filtersSchema.optional(),
    priority: prioritySchema.optional(),
    invoice: z
      .strictObject({ id: ulidSchema, line: z.strictObject({ id: ulidSchema }) })
      .optional()
      .openapi({ description: 'Where a grant that is bought by invoice stands.' }),
    effective_at: dateTimeSchema.optional(),
    expires_at: dateTimeSchema.optional(),
    voided_at: dateTimeSchema.optional(),
    key: keySchema.optional(),
    status: z.enum(['pending', 'active', 'expired', 'voided']),
  })
  .openapi('BillingCreditGrant');
export type GrantBody = z.input<typeof grantSchema>;

export const grantPageSchema = z
  .strictObject({ data: z.array(grantSchema), meta: pageMetaSchema })
  .openapi('CreditGrantPagePaginatedResponse');

export const settlementSchema = z
  .strictObject({ status: paymentStatusSchema })
  .openapi('UpdateCreditGrantExternalSettlementRequest');
export type Settlement = z.output<typeof settlementSchema>;

export const voidSchema = z
  .strictObject({ payment_adjustment: z.enum(['none']).default('none') })
  .openapi('VoidCreditGrantRequest');

export const createAdjustmentSchema = z
  .strictObject({
    ...namedFields,
    currency: currencySchema,
    amount: numericSchema.openapi({ description: 'Negative: credit is taken, below zero when there is too little.' }),
  })
  .openapi('CreateCreditAdjustmentRequest');
export type CreateAdjustment = z.output<typeof createAdjustmentSchema>;

export const adjustmentSchema = z.strictObject(namedFields).openapi('BillingCreditAdjustment');
export type AdjustmentBody = z.input<typeof adjustmentSchema>;

export const balancesSchema = z
  .strictObject({
    retrieved_at: dateTimeSchema,
    balances: z.array(
      z
        .strictObject({ currency: currencySchema, live: numericSchema, settled: numericSchema, pending: numericSchema })
        .openapi('CreditBalance'),
    ),
  })
  .openapi('BillingCreditBalances');
export type BalancesBody = z.input<typeof balancesSchema>;

export const transactionPageSchema = z
  .strictObject({
    data: z.array(
      z
        .strictObject({
          id: ulidSchema,
          ...namedFields,
          created_at: dateTimeSchema,
          booked_at: dateTimeSchema,
          type: z.enum(['funded', 'consumed', 'expired', 'voided']),
          currency: currencySchema,
          amount: numericSchema,
          available_balance: z.strictObject({ before: numericSchema, after: numericSchema }),
        })
        .openapi('BillingCreditTransaction'),
    ),
    meta: cursorMetaSchema,
  })
  .openapi('CreditTransactionPaginatedResponse');
export type TransactionPage = z.input<typeof transactionPageSchema>;
