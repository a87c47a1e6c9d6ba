import { invalidParameter } from '../../platform/errors.ts';
import { queryParameters, readLimit, readTimeRange, refuseUnknown } from '../../platform/http/range-params.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { type RevenueBody, revenueSchema } from './schema.ts';

const QUERY = queryParameters({
  from: 'Inclusive. Required.',
  to: 'Exclusive. Required.',
  limit: 'Customers named for each currency at most, 1 to 1,000, default 100.',
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
    async ({ answer, query }) => {
      refuseUnknown(query, QUERY);
      const { fromMs, toMs } = readTimeRange(query);
      if (fromMs === undefined) throw missing('from');
      if (toMs === undefined) throw missing('to');
      return answer(await service.revenue(fromMs, toMs, readLimit(query)));
    },
  );
}

function missing(field: string) {
  return invalidParameter({ field, rule: 'required', reason: 'is required', source: 'query' });
}
