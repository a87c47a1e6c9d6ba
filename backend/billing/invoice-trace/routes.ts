import { z } from '@hono/zod-openapi';
import { cursorPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { explanationSchema, tracedEventPageSchema } from './schema.ts';
import type { TraceService } from './service.ts';

const TAG = 'Invoices';
const lineParams = z.object({ invoiceId: ulidSchema, lineId: ulidSchema });
const chargeParams = z.object({ customerId: ulidSchema, chargeId: ulidSchema });
const EVENTS = jsonResponse('A page of events with what the meter took from each.', tracedEventPageSchema);
const EXPLANATION = jsonResponse('Meter, filters, subjects, period, and how the money came about.', explanationSchema);

/** Registers the operations that lead from lines and charges back to events. */
export function traceRoutes(router: Router, service: TraceService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/billing/invoices/{invoiceId}/lines/{lineId}/events',
      operationId: 'list-invoice-line-events',
      tag: TAG,
      summary: 'List the events behind an invoice line',
      description:
        'Exactly those that were counted when the quantity was taken. For a correction: those that arrived or were ' +
        'voided after their period was billed.',
      access: 'read',
      params: lineParams,
      query: queryOf({ page: cursorPage() }),
      responses: { 200: EVENTS },
    },
    async ({ answer, params, query }) =>
      answer(await service.eventsOfLine(params.invoiceId, params.lineId, query.page)),
  );
  router.endpoint(
    {
      method: 'get',
      path: '/billing/invoices/{invoiceId}/lines/{lineId}/explanation',
      operationId: 'explain-invoice-line',
      tag: TAG,
      summary: 'Explain an invoice line',
      description: 'Also why it is empty, where it is.',
      access: 'read',
      params: lineParams,
      responses: { 200: EXPLANATION },
    },
    async ({ answer, params }) => answer(await service.explainLine(params.invoiceId, params.lineId)),
  );
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}/charges/{chargeId}/events',
      operationId: 'list-charge-events',
      tag: TAG,
      summary: 'List the events that a charge counts now',
      access: 'read',
      params: chargeParams,
      query: queryOf({ page: cursorPage() }),
      responses: { 200: EVENTS },
    },
    async ({ answer, params, query }) =>
      answer(await service.eventsOfCharge(params.customerId, params.chargeId, query.page)),
  );
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}/charges/{chargeId}/explanation',
      operationId: 'explain-charge',
      tag: TAG,
      summary: 'Explain a charge',
      description: 'What it comes to by now and why, also while its period runs.',
      access: 'read',
      params: chargeParams,
      responses: { 200: EXPLANATION },
    },
    async ({ answer, params }) => answer(await service.explainCharge(params.customerId, params.chargeId)),
  );
}
