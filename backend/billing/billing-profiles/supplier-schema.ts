import { z } from '@hono/zod-openapi';
import { addressSchema, customerKeySchema } from '../../customers/customers/index.ts';

/** The longest legal names have a few hundred characters; the contract sets no bound. */
const MAX_LEGAL_NAME_LENGTH = 512;

const taxIdentitySchema = z
  .strictObject({ code: z.string().min(1).max(32).optional() })
  .openapi('BillingPartyTaxIdentity');

const partyFields = {
  id: z.string().max(MAX_LEGAL_NAME_LENGTH).optional(),
  name: z.string().max(MAX_LEGAL_NAME_LENGTH).optional(),
  tax_id: taxIdentitySchema.optional(),
  addresses: z.strictObject({ billing_address: addressSchema }).optional(),
};

/** Who sends the invoices. */
export const supplierSchema = z
  .strictObject({ ...partyFields, key: customerKeySchema.optional() })
  .openapi('BillingParty');

/** The supplier as an invoice keeps it. */
export const invoiceSupplierSchema = z.strictObject(partyFields).openapi('BillingSupplier');
export type InvoiceSupplier = z.output<typeof invoiceSupplierSchema>;
