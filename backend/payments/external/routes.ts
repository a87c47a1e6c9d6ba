import { z } from '@hono/zod-openapi';
import type { Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { draftSynchronizedSchema, issuingSynchronizedSchema, paymentStatusSchema } from './schema.ts';
import type { ExternalInvoicing } from './service.ts';

const TAG = 'External invoicing';
const invoiceId = z.object({ invoiceId: ulidSchema });
const DONE = { 204: { description: 'Taken note of.' } };

/** Registers what an external invoicing system calls. */
export function externalInvoicingRoutes(router: Router, service: ExternalInvoicing): void {
  router.endpoint(
    {
      method: 'post',
      path: '/apps/external-invoicing/{invoiceId}/draft/synchronized',
      operationId: 'external-invoicing-draft-synchronized',
      changes: { reads: '/billing/invoices/{invoiceId}' },
      tag: TAG,
      summary: 'Report that a draft was taken over',
      description: 'For invoices that wait in draft.syncing. The same report again changes nothing.',
      access: 'write',
      params: invoiceId,
      body: draftSynchronizedSchema,
      responses: DONE,
    },
    async ({ c, params, body }) => {
      await service.draftSynchronized(params.invoiceId, body);
      return c.body(null, 204);
    },
  );
  router.endpoint(
    {
      method: 'post',
      path: '/apps/external-invoicing/{invoiceId}/issuing/synchronized',
      operationId: 'external-invoicing-issuing-synchronized',
      changes: { reads: '/billing/invoices/{invoiceId}' },
      tag: TAG,
      summary: 'Report that an invoice was finalized',
      description: 'For invoices that wait in issuing.syncing. The same report again changes nothing.',
      access: 'write',
      params: invoiceId,
      body: issuingSynchronizedSchema,
      responses: DONE,
    },
    async ({ c, params, body }) => {
      await service.issuingSynchronized(params.invoiceId, body);
      return c.body(null, 204);
    },
  );
  router.endpoint(
    {
      method: 'post',
      path: '/apps/external-invoicing/{invoiceId}/payment/status',
      operationId: 'external-invoicing-payment-status',
      changes: { reads: '/billing/invoices/{invoiceId}' },
      tag: TAG,
      summary: 'Report what became of a payment',
      description: 'The same report again changes nothing.',
      access: 'write',
      params: invoiceId,
      body: paymentStatusSchema,
      responses: DONE,
    },
    async ({ c, params, body }) => {
      await service.paymentStatus(params.invoiceId, body);
      return c.body(null, 204);
    },
  );
}
