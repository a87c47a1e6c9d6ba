import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import {
  descriptionSchema,
  isMatchable,
  labelsSchema,
  MATCHABLE,
  nameSchema,
  resourceFields,
} from '../../platform/http/schemas.ts';

/**
 * The contract bounds neither the number of subject keys nor their length. A thousand are written in one transaction
 * of a few milliseconds, and the longest page of customers with that many still fits in memory. 512 characters of four
 * bytes fit the index entry of every database that we may move to.
 */
const MAX_SUBJECT_KEYS = 1000;
const MAX_SUBJECT_KEY_LENGTH = 512;
/** Local part, @ and domain of the longest address (RFC 5321, 4.5.3.1). The contract asks for no more than text. */
const MAX_EMAIL_LENGTH = 320;
/** Several times the longest line of any postal address; the contract sets no bound. */
const MAX_ADDRESS_LINE_LENGTH = 512;

export const customerKeySchema = z
  .string()
  .min(1)
  .max(256)
  .refine(isMatchable, MATCHABLE)
  .openapi('ExternalResourceKey', { example: 'acme-inc' });

const subjectKeySchema = z.string().min(1).max(MAX_SUBJECT_KEY_LENGTH).refine(isMatchable, MATCHABLE);

export const usageAttributionSchema = z
  .strictObject({
    subject_keys: z
      .array(subjectKeySchema)
      .max(MAX_SUBJECT_KEYS)
      .superRefine((keys, context) => {
        const seen = new Set<string>();
        for (const [index, key] of keys.entries()) {
          if (seen.has(key)) context.addIssue({ code: 'custom', path: [index], message: 'stands in the list twice' });
          seen.add(key);
        }
      })
      .openapi({
        description: "Subjects whose events are this customer's, besides the key.",
        example: ['alice', 'bob'],
      }),
  })
  .openapi('BillingCustomerUsageAttribution');

const addressLine = z.string().max(MAX_ADDRESS_LINE_LENGTH).optional();
export const addressSchema = z
  .strictObject({
    country: z
      .string()
      .regex(/^[A-Z]{2}$/, 'must be two capital letters, as in ISO 3166-1')
      .optional()
      .openapi({ example: 'DE' }),
    postal_code: addressLine,
    state: addressLine,
    city: addressLine,
    line1: addressLine,
    line2: addressLine,
    phone_number: addressLine,
  })
  .openapi('Address');

/** What a client may set at any time; the key is chosen once, at creation. */
const changeableFields = {
  name: nameSchema,
  description: descriptionSchema.optional(),
  labels: labelsSchema.optional(),
  usage_attribution: usageAttributionSchema.optional(),
  primary_email: z.string().max(MAX_EMAIL_LENGTH).optional(),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be three capital letters, as in ISO 4217')
    .optional()
    .openapi({ example: 'EUR' }),
  billing_address: addressSchema.optional(),
};

export const createCustomerSchema = z
  .strictObject({ ...changeableFields, key: customerKeySchema })
  .openapi('CreateCustomerRequest');
export type CreateCustomer = z.output<typeof createCustomerSchema>;

export const upsertCustomerSchema = z.strictObject(changeableFields).openapi('UpsertCustomerRequest');
export type UpsertCustomer = z.output<typeof upsertCustomerSchema>;

export const customerSchema = z
  .strictObject({ ...resourceFields, ...changeableFields, key: customerKeySchema })
  .openapi('BillingCustomer');
export type Customer = z.output<typeof customerSchema>;

export const customerPageSchema = z
  .strictObject({ data: z.array(customerSchema), meta: pageMetaSchema })
  .openapi('CustomerPagePaginatedResponse');
export type CustomerPage = z.output<typeof customerPageSchema>;

export type CustomerSortField = 'name' | 'id' | 'created_at';
export type CustomerFilterField =
  | 'key'
  | 'name'
  | 'primary_email'
  | 'usage_attribution_subject_key'
  | RelatedCustomerField;
/** Filters over what modules above keep of a customer. */
export type RelatedCustomerField = 'billing_profile_id' | 'plan_key';
