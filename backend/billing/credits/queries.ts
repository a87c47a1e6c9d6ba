import { invalidParameter } from '../../platform/errors.ts';
import { type FilterCondition, type FilterKind, filterBy } from '../../platform/http/filtering.ts';
import { cursorPage, numberedPage } from '../../platform/http/paging.ts';
import { queryOf, refine } from '../../platform/http/query.ts';
import { instant } from '../../platform/http/query-parts.ts';
import type { CreditView } from './balance.ts';
import type { GrantFilterField } from './service.ts';
import type { TransactionType } from './transactions.ts';

const STATUSES = ['pending', 'active', 'expired', 'voided'];
const TYPES: readonly TransactionType[] = ['funded', 'consumed', 'expired', 'voided'];

const GRANT_FILTERS = {
  status: { oneOf: STATUSES },
  currency: 'string-exact',
  key: 'string',
} as const satisfies Record<GrantFilterField, FilterKind>;

export const GRANTS_QUERY = queryOf({ page: numberedPage(), filters: filterBy(GRANT_FILTERS) });

export const BALANCE_QUERY = queryOf({
  atMs: instant('timestamp', 'The balance as of this instant; `live` is zero then. Left out: now.'),
  filter: refine(filterBy({ currency: 'string-exact', feature_key: 'string' }), (conditions) => ({
    currencies: listOf(conditions, 'currency'),
    view: viewOf(conditions),
  })),
});

export const TRANSACTIONS_QUERY = queryOf({
  page: cursorPage(),
  filter: refine(
    filterBy({ type: { oneOf: TYPES }, currency: 'string-exact', feature_key: 'string' }),
    (conditions) => {
      const type = oneOf(conditions, 'type');
      return {
        type: TYPES.find((known) => known === type),
        currency: oneOf(conditions, 'currency'),
        view: viewOf(conditions),
      };
    },
  ),
});

type Conditions = readonly FilterCondition[];

/** What is restricted to no feature where none must exist; with keys what may pay for one of them. @throws RequestProblem 400 */
function viewOf(conditions: Conditions): CreditView {
  const own = conditions.filter(({ field }) => field === 'feature_key');
  if (own.length === 0) return 'all';
  if (own.length > 1) throw refused('feature_key', 'may be given once');
  const [condition] = own;
  if (condition?.operator === 'exists' && condition.values[0] === 'false') return 'unrestricted';
  if (condition?.operator === 'eq' || condition?.operator === 'oeq') return condition.values;
  throw refused('feature_key', 'may be compared with eq and oeq, or with exists=false');
}

function listOf(conditions: Conditions, field: string): readonly string[] | undefined {
  const own = conditions.filter((condition) => condition.field === field);
  if (own.length === 0) return undefined;
  if (own.length > 1) throw refused(field, 'may be given once');
  if (own[0]?.operator === 'neq') throw refused(field, 'may be compared with eq and oeq');
  return [...new Set(own[0]?.values)];
}

function oneOf(conditions: Conditions, field: string): string | undefined {
  const values = listOf(conditions, field);
  if (values !== undefined && values.length > 1) throw refused(field, 'may have one value');
  return values?.[0];
}

function refused(field: string, reason: string) {
  return invalidParameter({ field: `filter[${field}]`, rule: 'invalid', reason, source: 'query' });
}
