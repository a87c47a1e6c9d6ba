import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import {
  descriptionSchema,
  labelsSchema,
  nameSchema,
  resourceFields,
  ulidSchema,
} from '../../platform/http/schemas.ts';
import { supplierSchema } from './supplier-schema.ts';
import { workflowSchema } from './workflow-schema.ts';

export const appReferenceSchema = z.strictObject({ id: ulidSchema }).openapi('BillingAppReference');
const appReferencesSchema = z
  .strictObject({ tax: appReferenceSchema, invoicing: appReferenceSchema, payment: appReferenceSchema })
  .openapi('BillingProfileAppReferences');
export const profileReferenceSchema = z.strictObject({ id: ulidSchema }).openapi('BillingProfileReference');

const changeableFields = {
  name: nameSchema,
  description: descriptionSchema.optional(),
  labels: labelsSchema.optional(),
  supplier: supplierSchema,
  workflow: workflowSchema,
  default: z.boolean(),
};

export const createProfileSchema = z
  .strictObject({ ...changeableFields, apps: appReferencesSchema })
  .openapi('CreateBillingProfileRequest');
export type CreateProfile = z.output<typeof createProfileSchema>;

export const upsertProfileSchema = z.strictObject(changeableFields).openapi('UpsertBillingProfileRequest');
export type UpsertProfile = z.output<typeof upsertProfileSchema>;

export const profileSchema = z
  .strictObject({ ...resourceFields, ...changeableFields, apps: appReferencesSchema })
  .openapi('BillingProfile');
export type BillingProfile = z.output<typeof profileSchema>;

export const profilePageSchema = z
  .strictObject({ data: z.array(profileSchema), meta: pageMetaSchema })
  .openapi('BillingProfilePagePaginatedResponse');
export type BillingProfilePage = z.output<typeof profilePageSchema>;

const stripeDataSchema = z.strictObject({
  customer_id: z.string().max(256).optional(),
  default_payment_method_id: z.string().max(256).optional(),
  labels: labelsSchema.optional(),
});
export const appDataSchema = z
  .strictObject({
    stripe: stripeDataSchema.optional(),
    external_invoicing: z.strictObject({ labels: labelsSchema.optional() }).optional(),
  })
  .openapi('BillingAppCustomerData');
export type AppData = z.output<typeof appDataSchema>;

export const customerBillingSchema = z
  .strictObject({ billing_profile: profileReferenceSchema.optional(), app_data: appDataSchema.optional() })
  .openapi('BillingCustomerData');
export type CustomerBilling = z.output<typeof customerBillingSchema>;

/** Our own addition: the contract has no word for either. */
export const adjustmentSettingsSchema = z
  .strictObject({
    late_usage: z.enum(['bill', 'report']).openapi({
      description:
        'Usage that arrives, or is voided, after its invoice was drawn up: billed on the next invoice, or only listed.',
    }),
    unused_time: z.enum(['credit', 'keep']).openapi({
      description: 'Fees paid in advance for time after a plan change or cancellation: given back, or kept.',
    }),
  })
  .openapi('BillingAdjustmentSettings');
export type AdjustmentSettings = z.output<typeof adjustmentSettingsSchema>;
