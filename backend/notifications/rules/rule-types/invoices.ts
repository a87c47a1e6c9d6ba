import { z } from '@hono/zod-openapi';
import { invoiceSchema } from '../../../billing/invoices/index.ts';
import type { RuleTypeDefinition } from './rule-type.ts';

const INVOICE_ID = '01JD0000000000000000000010';
const APP = { id: '01JD0000000000000000000001' };
const DATE = '2026-01-01T00:00:00Z';

const SAMPLE_INVOICE = {
  id: INVOICE_ID,
  created_at: DATE,
  updated_at: DATE,
  number: 'SANDBOX-EXAMPLE-1',
  currency: 'USD',
  supplier: { name: 'My company' },
  customer: { id: '01JD0000000000000000000011', key: 'example', name: 'Example customer' },
  totals: {
    amount: '12.5',
    taxes_total: '0',
    taxes_inclusive_total: '0',
    taxes_exclusive_total: '0',
    charges_total: '0',
    discounts_total: '0',
    credits_total: '0',
    total: '12.5',
  },
  service_period: { from: '2025-12-01T00:00:00Z', to: DATE },
  type: 'standard',
  status: 'draft',
  status_details: { immutable: false, failed: false, extended_status: 'draft.created', available_actions: {} },
  workflow: {
    apps: { tax: APP, invoicing: APP, payment: APP },
    source_billing_profile: { id: '01JD0000000000000000000002' },
    workflow: {
      invoicing: { auto_advance: true, draft_period: 'P0D', due_after: 'P30D' },
      payment: { collection_method: 'charge_automatically' },
    },
  },
  lines: [],
} as const;

const truncated = z.literal(true).optional().openapi({
  description: 'The lines are left out since the message would be too long: ask for the invoice by its id.',
});

const createdData = z
  .looseObject({ ...invoiceSchema.shape, lines_truncated: truncated })
  .openapi('InvoiceCreatedEventData');
const updatedData = z
  .looseObject({
    ...invoiceSchema.shape,
    lines_truncated: truncated,
    previous: z.strictObject({ status: z.string(), extended_status: z.string() }),
  })
  .openapi('InvoiceUpdatedEventData');

export const invoiceCreated: RuleTypeDefinition = {
  description: 'An invoice was made. Its amounts are not known yet: usage is counted when it is collected.',
  fields: {},
  maxRules: 100,
  data: createdData,
  sample: SAMPLE_INVOICE,
};

export const invoiceUpdated: RuleTypeDefinition = {
  description: 'The status, the totals, the number or a date of an invoice has changed.',
  fields: {},
  maxRules: 100,
  data: updatedData,
  sample: { ...SAMPLE_INVOICE, status: 'paid', previous: { status: 'draft', extended_status: 'draft.created' } },
};
