import { type Decimal, formatDecimal, sumDecimals, ZERO } from '../../platform/decimal.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import type { RevenueDeps } from './deps.ts';
import { type IssuedInvoice, revenueRepository } from './repository.ts';
import type { RevenueBody } from './schema.ts';

interface Sum {
  total: Decimal;
  invoices: number;
}

/**
 * What was invoiced in a period, by currency and customer. Customers on test clocks pay nothing: they do not count. Amounts of
 * different currencies are never added up.
 */
export function createRevenueService(scope: Scope, deps: RevenueDeps) {
  return {
    /** @param topCustomers how many customers are named for each currency, those with the largest sums first */
    revenue: async (fromMs: number, toMs: number, topCustomers: number): Promise<RevenueBody> => {
      const onTestClocks = await deps.onTestClocks(scope);
      const issued = await revenueRepository(scope).issuedIn(fromMs, toMs);
      const byCurrency = sumByCustomer(issued.filter(({ customerId }) => !onTestClocks.has(customerId)));
      const currencies = [...byCurrency.keys()].sort();
      const data: RevenueBody['data'] = [];
      for (const currency of currencies) {
        const sums = byCurrency.get(currency) ?? new Map<string, Sum>();
        const all = [...sums.values()];
        data.push({
          currency,
          total: formatDecimal(sumDecimals(all.map(({ total }) => total))),
          invoices: all.reduce((count, { invoices }) => count + invoices, 0),
          customers: sums.size,
          top_customers: await nameTop(deps, scope, sums, topCustomers),
        });
      }
      return { from: formatInstant(fromMs), to: formatInstant(toMs), data };
    },
  };
}

function sumByCustomer(invoices: readonly IssuedInvoice[]): Map<string, Map<string, Sum>> {
  const byCurrency = new Map<string, Map<string, Sum>>();
  for (const { currency, customerId, total } of invoices) {
    const sums = byCurrency.get(currency) ?? new Map<string, Sum>();
    const sum = sums.get(customerId) ?? { total: ZERO, invoices: 0 };
    sums.set(customerId, { total: sum.total.add(total), invoices: sum.invoices + 1 });
    byCurrency.set(currency, sums);
  }
  return byCurrency;
}

async function nameTop(
  { findCustomer }: Pick<RevenueDeps, 'findCustomer'>,
  scope: Scope,
  sums: ReadonlyMap<string, Sum>,
  limit: number,
): Promise<RevenueBody['data'][number]['top_customers']> {
  // By id where sums are equal, so that the same question has the same answer.
  const top = [...sums].sort(([a, x], [b, y]) => y.total.cmp(x.total) || (a < b ? -1 : 1)).slice(0, limit);
  const named: RevenueBody['data'][number]['top_customers'] = [];
  for (const [id, { total, invoices }] of top) {
    const { key, name } = (await findCustomer(id, scope)) ?? { key: id, name: id };
    named.push({ customer: { id, key, name }, total: formatDecimal(total), invoices });
  }
  return named;
}
