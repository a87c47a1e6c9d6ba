/** The paths of the v1 API, which integrations written for OpenMeter call: the same reports in its names. */
import { z } from '@hono/zod-openapi';
import { defined } from '../../platform/defined.ts';
import type { Router } from '../../platform/http/router.ts';
import { instantSchema, ulidSchema } from '../../platform/http/schemas.ts';
import { externalIdSchema, MAX_LINE_IDS, paymentStatusSchema } from './schema.ts';
import type { ExternalInvoicing } from './service.ts';

const lineIds = z.array(z.strictObject({ lineId: ulidSchema, externalId: externalIdSchema })).max(MAX_LINE_IDS);
const discountIds = z.array(z.strictObject({ lineDiscountId: z.string(), externalId: externalIdSchema }));

const draftSchema = z
  .strictObject({
    invoicing: z
      .strictObject({
        invoiceNumber: externalIdSchema.optional(),
        externalId: externalIdSchema.optional(),
        lineExternalIds: lineIds.optional(),
        lineDiscountExternalIds: discountIds
          .max(MAX_LINE_IDS)
          .optional()
          .openapi({ description: 'Not kept: discounts have no ids here.' }),
      })
      .optional(),
  })
  .openapi('CustomInvoicingDraftSynchronizedRequest');

const issuingSchema = z
  .strictObject({
    invoicing: z
      .strictObject({ invoiceNumber: externalIdSchema.optional(), sentToCustomerAt: instantSchema.optional() })
      .optional(),
    payment: z.strictObject({ externalId: externalIdSchema.optional() }).optional(),
  })
  .openapi('CustomInvoicingFinalizedRequest');

const ENDPOINT = {
  method: 'post',
  tag: 'External invoicing',
  access: 'write',
  // It is read under v3.
  changes: { type: 'billing/invoices' },
  params: z.object({ invoiceId: ulidSchema }),
  responses: { 204: { description: 'Taken note of.' } },
} as const;

/** Registers them, below /api/v1. */
export function legacyExternalInvoicingRoutes(router: Router, service: ExternalInvoicing): void {
  router.endpoint(
    {
      ...ENDPOINT,
      path: '/apps/custom-invoicing/{invoiceId}/draft/synchronized',
      operationId: 'custom-invoicing-draft-synchronized-v1',
      summary: 'Report that a draft was taken over (v1)',
      body: draftSchema,
    },
    async ({ c, params, body: { invoicing } }) => {
      await service.draftSynchronized(params.invoiceId, {
        invoicing: defined({
          invoice_number: invoicing?.invoiceNumber,
          external_id: invoicing?.externalId,
          line_external_ids: invoicing?.lineExternalIds?.map(({ lineId, externalId }) => ({
            line_id: lineId,
            external_id: externalId,
          })),
        }),
      });
      return c.body(null, 204);
    },
  );
  router.endpoint(
    {
      ...ENDPOINT,
      path: '/apps/custom-invoicing/{invoiceId}/issuing/synchronized',
      operationId: 'custom-invoicing-issuing-synchronized-v1',
      summary: 'Report that an invoice was finalized (v1)',
      body: issuingSchema,
    },
    async ({ c, params, body: { invoicing, payment } }) => {
      await service.issuingSynchronized(params.invoiceId, {
        invoicing: defined({
          invoice_number: invoicing?.invoiceNumber,
          sent_to_customer_at: invoicing?.sentToCustomerAt,
        }),
        payment: defined({ external_id: payment?.externalId }),
      });
      return c.body(null, 204);
    },
  );
  router.endpoint(
    {
      ...ENDPOINT,
      path: '/apps/custom-invoicing/{invoiceId}/payment/status',
      operationId: 'custom-invoicing-payment-status-v1',
      summary: 'Report what became of a payment (v1)',
      body: paymentStatusSchema,
    },
    async ({ c, params, body }) => {
      await service.paymentStatus(params.invoiceId, body);
      return c.body(null, 204);
    },
  );
}
