import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import {
  dateTimeSchema,
  descriptionSchema,
  labelsSchema,
  nameSchema,
  resourceKeySchema,
  ulidSchema,
} from '../../platform/http/schemas.ts';

export const appTypeSchema = z.enum(['sandbox', 'stripe', 'external_invoicing']).openapi('BillingAppType');
export type AppType = z.output<typeof appTypeSchema>;

const capabilityTypeSchema = z
  .enum(['report_usage', 'report_events', 'calculate_tax', 'invoice_customers', 'collect_payments'])
  .openapi('BillingAppCapabilityType');

const capabilitySchema = z
  .strictObject({
    type: capabilityTypeSchema,
    key: resourceKeySchema,
    name: z.string(),
    description: z.string(),
  })
  .openapi('BillingAppCapability');
export type Capability = z.output<typeof capabilitySchema>;

export const catalogItemSchema = z
  .strictObject({
    type: appTypeSchema,
    name: z.string(),
    description: z.string(),
    capabilities: z.array(capabilitySchema),
    install_methods: z.array(z.enum(['with_oauth2', 'with_api_key', 'no_credentials_required'])),
  })
  .openapi('BillingAppCatalogItem');
export type AppCatalogItem = z.output<typeof catalogItemSchema>;

export const catalogPageSchema = z
  .strictObject({ data: z.array(catalogItemSchema), meta: pageMetaSchema })
  .openapi('AppCatalogItemPagePaginatedResponse');

const appFields = {
  id: ulidSchema,
  name: nameSchema,
  description: descriptionSchema.optional(),
  labels: labelsSchema.optional(),
  created_at: dateTimeSchema,
  updated_at: dateTimeSchema,
  deleted_at: dateTimeSchema.optional(),
  definition: catalogItemSchema,
  status: z.enum(['ready', 'unauthorized']).openapi('BillingAppStatus'),
};
const hooks = { enable_draft_sync_hook: z.boolean(), enable_issuing_sync_hook: z.boolean() };

export const appSchema = z
  .discriminatedUnion('type', [
    z.strictObject({ ...appFields, type: z.literal('sandbox') }).openapi('BillingAppSandbox'),
    z
      .strictObject({ ...appFields, type: z.literal('external_invoicing'), ...hooks })
      .openapi('BillingAppExternalInvoicing'),
    z
      .strictObject({
        ...appFields,
        type: z.literal('stripe'),
        account_id: z.string(),
        livemode: z.boolean(),
        masked_api_key: z.string(),
      })
      .openapi('BillingAppStripe'),
  ])
  .openapi('BillingApp');
export type App = z.output<typeof appSchema>;

export const appPageSchema = z
  .strictObject({ data: z.array(appSchema), meta: pageMetaSchema })
  .openapi('AppPagePaginatedResponse');
export type AppPage = z.output<typeof appPageSchema>;

const installFields = { name: nameSchema, create_billing_profile: z.boolean() };
/** A key has some hundred characters. It is sealed, and shown masked only. */
const MAX_API_KEY_LENGTH = 256;
export const installAppSchema = z
  .discriminatedUnion('type', [
    z.strictObject({ ...installFields, type: z.literal('sandbox') }),
    z.strictObject({ ...installFields, type: z.literal('external_invoicing') }),
    z.strictObject({ ...installFields, type: z.literal('stripe'), api_key: z.string().max(MAX_API_KEY_LENGTH) }),
  ])
  .openapi('BillingInstallAppRequest');
export type InstallApp = z.output<typeof installAppSchema>;

export const installedAppSchema = z
  .strictObject({ app: appSchema, default_for_capability_types: z.array(capabilityTypeSchema) })
  .openapi('BillingInstallAppResponse');
export type InstalledApp = z.output<typeof installedAppSchema>;

const updateFields = {
  name: nameSchema,
  description: descriptionSchema.optional(),
  labels: labelsSchema.optional(),
};
export const updateAppSchema = z
  .discriminatedUnion('type', [
    z.strictObject({ ...updateFields, type: z.literal('sandbox') }),
    z.strictObject({ ...updateFields, type: z.literal('external_invoicing'), ...hooks }),
    z.strictObject({
      ...updateFields,
      type: z.literal('stripe'),
      secret_api_key: z.string().max(MAX_API_KEY_LENGTH).optional(),
    }),
  ])
  .openapi('BillingUpdateAppRequest');
export type UpdateApp = z.output<typeof updateAppSchema>;
