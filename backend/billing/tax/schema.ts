import { z } from '@hono/zod-openapi';
import { Decimal } from '../../platform/decimal.ts';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import {
  descriptionSchema,
  labelsSchema,
  nameSchema,
  numericSchema,
  resourceFields,
  ulidSchema,
} from '../../platform/http/schemas.ts';
import { countryOfVatId, plainVatId } from './vat-ids.ts';

/** Of what kind a tax is; e-invoices have a letter for each (UNTDID 5305). */
export const TAX_CATEGORIES = [
  'standard',
  'zero_rated',
  'exempt',
  'reverse_charge',
  'export',
  'outside_scope',
] as const;
export type TaxCategory = (typeof TAX_CATEGORIES)[number];

const MAX_REASON_LENGTH = 512;
/** No tax has more digits. */
const MAX_PERCENTAGE_DIGITS = 4;

const percentageSchema = z
  .string()
  .regex(/^(?:\d{1,2}|100)(?:\.\d{1,4})?$/, {
    error: 'must be a decimal number from 0 to 100 with at most 4 decimals',
    // What is no number cannot be judged further.
    abort: true,
  })
  .refine((text) => new Decimal(text).lte(100), { error: 'must be at most 100' })
  .openapi({ description: `A decimal number with at most ${MAX_PERCENTAGE_DIGITS} decimals.`, example: '19' });

const countrySchema = z
  .string()
  .regex(/^[A-Z]{2}$/, 'must be a country of two capital letters, as in ISO 3166')
  .openapi({ example: 'DE' });

const rateFields = {
  name: nameSchema,
  description: descriptionSchema.optional(),
  labels: labelsSchema.optional(),
  country: countrySchema.optional().openapi({ description: "The customer's. Without it: all that have no rate." }),
  customer_kind: z
    .enum(['business', 'consumer'])
    .optional()
    .openapi({ description: 'A business has a tax id. Without it: both.' }),
  tax_code: z
    .strictObject({ id: ulidSchema })
    .optional()
    .openapi({ description: 'Of what is sold. Without it: all that have no rate of their code.' }),
  category: z.enum(TAX_CATEGORIES).openapi({ description: 'All but "standard" have the percentage 0.' }),
  percentage: percentageSchema,
  reason: z
    .string()
    .min(1)
    .max(MAX_REASON_LENGTH)
    .optional()
    .openapi({ description: 'Printed on invoices: why no tax is asked for, and by which law.' }),
};

export const upsertTaxRateSchema = z
  .strictObject(rateFields)
  .superRefine(({ category, percentage }, context) => {
    if ((category === 'standard') !== new Decimal(percentage).isZero()) return;
    const message = category === 'standard' ? 'must be more than 0' : `must be 0, as the category is ${category}`;
    context.addIssue({ code: 'custom', path: ['percentage'], message });
  })
  .openapi('UpsertTaxRateRequest');
export type UpsertTaxRate = z.output<typeof upsertTaxRateSchema>;

export const taxRateSchema = z.strictObject({ ...resourceFields, ...rateFields }).openapi('TaxRate');
export type TaxRate = z.output<typeof taxRateSchema>;

export const taxRatePageSchema = z
  .strictObject({ data: z.array(taxRateSchema), meta: pageMetaSchema })
  .openapi('TaxRatePage');
export type TaxRatePage = z.output<typeof taxRatePageSchema>;

const vatIdSchema = z
  .string()
  .max(32)
  .transform(plainVatId)
  .refine((value) => countryOfVatId(value) !== undefined, {
    error: 'must be a VAT id with the prefix of its state and right check digits, such as "DE136695976"',
    params: { rule: 'matches_regex' },
  })
  .openapi({ type: 'string', example: 'DE136695976' });

const taxIdSchema = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('vat'), value: vatIdSchema }),
    z.strictObject({ type: z.literal('other'), value: z.string().min(1).max(64) }),
  ])
  .openapi('TaxId', { description: 'A VAT id, checked by its form and digits, or another number, printed as it is.' });

/** Nobody has more. */
const MAX_TAX_IDS = 5;

const taxIdsSchema = z.array(taxIdSchema).max(MAX_TAX_IDS);

export const customerTaxSchema = z
  .strictObject({
    status: z
      .enum(['taxable', 'exempt', 'reverse_charge'])
      .openapi({ description: 'Whether the customer is taxed, or owes the tax itself, whatever the rates say.' }),
    tax_ids: taxIdsSchema,
    reason: z
      .string()
      .min(1)
      .max(MAX_REASON_LENGTH)
      .optional()
      .openapi({ description: 'Printed on invoices of an exempt customer.' }),
  })
  .openapi('CustomerTax');
export type CustomerTax = z.output<typeof customerTaxSchema>;

export const NO_CUSTOMER_TAX: CustomerTax = { status: 'taxable', tax_ids: [] };

/** What an invoice says of its taxes, rate by rate. */
export const invoiceTaxesSchema = z
  .strictObject({
    customer: customerTaxSchema.openapi({ description: 'How the customer was taxed.' }),
    taxes: z.array(
      z.strictObject({
        name: nameSchema,
        category: z.enum(TAX_CATEGORIES),
        percentage: numericSchema,
        reason: z.string().optional(),
        base: numericSchema.openapi({ description: 'What is taxed, without the tax.' }),
        amount: numericSchema,
      }),
    ),
  })
  .openapi('InvoiceTaxes');
