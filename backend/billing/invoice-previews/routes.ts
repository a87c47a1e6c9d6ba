/** The operations on a customer's invoice in the making. */

import { z } from '@hono/zod-openapi';
import { queryOf } from '../../platform/http/query.ts';
import { text } from '../../platform/http/query-parts.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { type InvoiceAnswer, invoiceSchema } from '../invoices/index.ts';
import { type Simulate, simulateSchema } from './simulate.ts';

const TAG = 'Invoices';
const customerId = z.object({ customerId: ulidSchema });

export interface InvoicePreviews {
  preview(customerId: string, currency: string | undefined): Promise<InvoiceAnswer>;
  simulate(customerId: string, request: Simulate): Promise<InvoiceAnswer>;
}

/** Registers the operations on a customer's invoice in the making. */
export function previewRoutes(router: Router, service: InvoicePreviews): void {
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}/invoice-preview',
      operationId: 'preview-customer-invoice',
      tag: TAG,
      summary: 'Preview the next invoice',
      description:
        'The invoice in the making with the usage so far, in the shape of an invoice. An invoice made of the same usage ' +
        'has the same numbers.',
      access: 'read',
      params: customerId,
      query: queryOf({ currency: text('currency', "Default: the customer's, or that of what is to be billed.") }),
      responses: { 200: jsonResponse('What the next invoice would be.', invoiceSchema) },
    },
    async ({ answer, params, query }) => answer(await service.preview(params.customerId, query.currency)),
  );
  router.endpoint(
    {
      method: 'post',
      path: '/customers/{customerId}/invoice-preview/simulate',
      operationId: 'simulate-customer-invoice',
      tag: TAG,
      summary: 'Simulate the next invoice',
      description: 'The preview with other quantities, or with further lines. Nothing is stored.',
      access: 'read',
      params: customerId,
      body: simulateSchema,
      responses: { 200: jsonResponse('What the next invoice would be.', invoiceSchema) },
    },
    async ({ answer, params, body }) => answer(await service.simulate(params.customerId, body)),
  );
}
