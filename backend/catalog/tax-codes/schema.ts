import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import {
  dateTimeSchema,
  descriptionSchema,
  labelsSchema,
  nameSchema,
  resourceFields,
  resourceKeySchema,
  ulidSchema,
} from '../../platform/http/schemas.ts';

const APP_TYPES = ['sandbox', 'stripe', 'external_invoicing'] as const;
/** The limit that the contract has for codes of external invoicing; Stripe's are shorter. */
const MAX_TAX_CODE_LENGTH = 64;
/** Stripe's form of a product tax code. */
const STRIPE_TAX_CODE = /^txcd_\d{8}$/;

const appMappingSchema = z
  .strictObject({ app_type: z.enum(APP_TYPES), tax_code: z.string().min(1).max(MAX_TAX_CODE_LENGTH) })
  .superRefine(({ app_type, tax_code }, context) => {
    if (app_type !== 'stripe' || STRIPE_TAX_CODE.test(tax_code)) return;
    const message = 'must be a Stripe tax code, such as txcd_10000000';
    context.addIssue({ code: 'custom', path: ['tax_code'], message, params: { rule: 'matches_regex' } });
  });

const appMappingsSchema = z
  .array(appMappingSchema)
  .superRefine((mappings, context) => {
    for (const [index, { app_type }] of mappings.entries()) {
      if (mappings.findIndex((other) => other.app_type === app_type) === index) continue;
      context.addIssue({ code: 'custom', path: [index, 'app_type'], message: 'must be given only once' });
    }
  })
  .openapi({ description: "The code's name in each app; an app that is left out uses its own default." });

export const upsertTaxCodeSchema = z
  .strictObject({
    name: nameSchema,
    description: descriptionSchema.optional(),
    labels: labelsSchema.optional(),
    app_mappings: appMappingsSchema,
  })
  .openapi('UpsertTaxCodeRequest');
export type UpsertTaxCode = z.output<typeof upsertTaxCodeSchema>;

export const createTaxCodeSchema = upsertTaxCodeSchema
  .extend({ key: resourceKeySchema })
  .openapi('CreateTaxCodeRequest');
export type CreateTaxCode = z.output<typeof createTaxCodeSchema>;

export const taxCodeSchema = z
  .strictObject({ ...resourceFields, key: z.string(), app_mappings: appMappingsSchema })
  .openapi('TaxCode');
export type TaxCode = z.output<typeof taxCodeSchema>;

export const taxCodePageSchema = z
  .strictObject({ data: z.array(taxCodeSchema), meta: pageMetaSchema })
  .openapi('TaxCodePage');
export type TaxCodePage = z.output<typeof taxCodePageSchema>;

const referenceSchema = z.strictObject({ id: ulidSchema });

export const updateDefaultTaxCodesSchema = z
  .strictObject({
    invoicing_tax_code: referenceSchema.optional(),
    credit_grant_tax_code: referenceSchema.optional(),
  })
  .openapi('UpdateOrganizationDefaultTaxCodesRequest');
export type UpdateDefaultTaxCodes = z.output<typeof updateDefaultTaxCodesSchema>;

export const defaultTaxCodesSchema = z
  .strictObject({
    invoicing_tax_code: referenceSchema,
    credit_grant_tax_code: referenceSchema,
    created_at: dateTimeSchema,
    updated_at: dateTimeSchema,
  })
  .openapi('OrganizationDefaultTaxCodes');
export type DefaultTaxCodes = z.output<typeof defaultTaxCodesSchema>;
