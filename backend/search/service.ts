import type { Customers } from '../customers/customers/index.ts';
import type { UsageStore } from '../metering/usage-store/index.ts';
import type { SearchedTable } from '../platform/db/searched-table.ts';
import { defined } from '../platform/defined.ts';
import { formatInstant } from '../platform/instant.ts';
import type { Scope } from '../platform/scope.ts';
import { type FoundRow, findRows } from './repository.ts';
import { type Found, SEARCHED_KINDS, type SearchAnswer, type SearchedKind } from './schema.ts';

export interface SearchDeps {
  scope: Scope;
  usage: Pick<UsageStore, 'list'>;
  customers: Pick<Customers, 'getMany'>;
  /** What is found by SQL; events are asked of the usage store. */
  tables: Readonly<Record<Exclude<SearchedKind, 'event'>, SearchedTable>>;
}

export interface SearchService {
  /**
   * What a text may mean: a part of a name, key or number, whatever its case, or a whole id. Events by their id only.
   * @param limit things of each kind at most
   */
  search(text: string, limit: number, signal: AbortSignal): Promise<SearchAnswer>;
}

export function createSearchService(deps: SearchDeps): SearchService {
  return {
    search: async (text, limit, signal) => {
      const data: SearchAnswer['data'] = [];
      for (const kind of SEARCHED_KINDS) {
        // One more than is shown tells whether there are more.
        const found =
          kind === 'event'
            ? await findEvents(deps, text, limit + 1, signal)
            : await findIn(deps, deps.tables[kind], text, limit + 1);
        if (found.length > 0) data.push({ kind, items: found.slice(0, limit), has_more: found.length > limit });
      }
      return { data };
    },
  };
}

async function findIn(deps: SearchDeps, table: SearchedTable, text: string, limit: number): Promise<Found[]> {
  const rows = await findRows(deps.scope, table, text, limit);
  const owners = await deps.customers.getMany([...new Set(rows.flatMap(({ customer_id }) => customer_id ?? []))]);
  const nameOf = new Map(owners.map(({ id, name }) => [id, name]));
  return rows.map((row) => toFound(row, nameOf));
}

function toFound(row: FoundRow, nameOf: ReadonlyMap<string, string>): Found {
  const customer =
    row.customer_id === null ? undefined : { id: row.customer_id, name: nameOf.get(row.customer_id) ?? '' };
  return {
    id: row.id,
    name: row.name,
    ...defined({ key: row.key ?? undefined, version: row.version ?? undefined, customer }),
  };
}

async function findEvents(deps: SearchDeps, text: string, limit: number, signal: AbortSignal): Promise<Found[]> {
  const query = {
    filters: [{ field: 'id', operator: 'eq', values: [text] }] as const,
    sort: { field: 'time', direction: 'desc' } as const,
    size: limit,
  };
  const events = await deps.usage.list(query, signal);
  return events.map(({ id, subject, source, timeMs }) => ({ id, name: subject, source, time: formatInstant(timeMs) }));
}
