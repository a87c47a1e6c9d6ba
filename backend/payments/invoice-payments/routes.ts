import { z } from '@hono/zod-openapi';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { paymentPageSchema, paymentSchema, recordPaymentSchema, timelineSchema } from './schema.ts';
import type { InvoicePayments } from './service.ts';

const TAG = 'Payments';
const PATH = '/billing/invoices/{invoiceId}';
const params = z.object({ invoiceId: ulidSchema });
const query = queryOf({ page: numberedPage() });

/** Registers the operations of an invoice's payments, and its timeline. */
export function paymentRoutes(router: Router, service: InvoicePayments): void {
  router.endpoint(
    {
      method: 'get',
      path: `${PATH}/payments`,
      operationId: 'list-invoice-payments',
      tag: TAG,
      summary: 'List payments of an invoice',
      description: 'With what is paid of it and what is left.',
      access: 'read',
      params,
      query,
      responses: { 200: jsonResponse('A page of payments.', paymentPageSchema) },
    },
    async ({ answer, params, query }) => answer(await service.list(params.invoiceId, query.page)),
  );
  router.endpoint(
    {
      method: 'post',
      path: `${PATH}/payments`,
      operationId: 'record-invoice-payment',
      tag: TAG,
      summary: 'Record a payment of an invoice',
      description:
        'For money that came by a way of which this server learns nothing: all of what is left to pay, or a part. Once ' +
        'nothing is left the invoice is paid. It cannot be taken back.',
      access: 'write',
      params,
      body: recordPaymentSchema,
      responses: { 201: jsonResponse('The payment.', paymentSchema) },
    },
    async ({ answer, params, body }) => answer(await service.record(params.invoiceId, body), 201),
  );
  router.endpoint(
    {
      method: 'get',
      path: `${PATH}/timeline`,
      operationId: 'get-invoice-timeline',
      tag: TAG,
      summary: 'Get what happened to an invoice',
      description: 'Statuses that it came to, and payments, in the order in which they happened.',
      access: 'read',
      params,
      query,
      responses: { 200: jsonResponse('A page of the timeline.', timelineSchema) },
    },
    async ({ answer, params, query }) => answer(await service.timeline(params.invoiceId, query.page)),
  );
}
