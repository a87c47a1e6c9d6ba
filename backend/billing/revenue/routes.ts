import { refine, strictQueryOf } from '../../platform/http/query.ts';
import { limit, missing, timeRange } from '../../platform/http/query-parts.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { type RevenueBody, revenueSchema } from './schema.ts';

const QUERY = strictQueryOf({
  period: refine(timeRange({ from: 'Inclusive. Required.', to: 'Exclusive. Required.' }), ({ fromMs, toMs }) => {
    if (fromMs === undefined) throw missing('from');
    if (toMs === undefined) throw missing('to');
    return { fromMs, toMs };
  }),
  limit: limit('Customers named for each currency'),
});

/** Registers the sums of what was invoiced: our own addition to the contract. */
export function revenueRoutes(
  router: Router,
  service: { revenue(fromMs: number, toMs: number, topCustomers: number): Promise<RevenueBody> },
): void {
  router.endpoint(
    {
      method: 'get',
      path: '/billing/revenue',
      operationId: 'get-revenue',
      tag: 'Invoices',
      summary: 'Get revenue',
      description:
        'What was invoiced in a period, for each currency: the totals of invoices by their issued_at. Voided and deleted ' +
        'invoices, and those of customers on test clocks, do not count; drafts are not issued yet.',
      access: 'read',
      query: QUERY,
      responses: { 200: jsonResponse('Sums for each currency.', revenueSchema) },
    },
    async ({ answer, query: { period, limit: topCustomers } }) =>
      answer(await service.revenue(period.fromMs, period.toMs, topCustomers)),
  );
}
