import { filterExpression } from '../../platform/db/filter-expression.ts';
import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { inLists } from '../../platform/db/in-lists.ts';
import type { SearchedTable } from '../../platform/db/searched-table.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import type { Sort } from '../../platform/http/sorting.ts';
import { fromStoredInstant, toStoredInstant } from '../../platform/instant.ts';
import type { Meter, MeterFilterField, MeterSortField } from './schema.ts';

interface MeterRow {
  id: string;
  key: string;
  name: string;
  description: string | null;
  labels: string | null;
  aggregation: string;
  event_type: string;
  events_from: string | null;
  value_property: string | null;
  dimensions: string | null;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

/** Stored meters. */
export function meterRepository(db: DbHandle) {
  const meters = () => withTables<{ meters: MeterRow }>(db);
  const one = (row: MeterRow | undefined) => (row === undefined ? undefined : toMeter(row));
  return {
    byId: async (id: string) =>
      one(await meters().selectFrom('meters').selectAll().where('id', '=', id).executeTakeFirst()),
    byIds: async (ids: readonly string[]) => {
      const read = meters().selectFrom('meters').selectAll();
      return (await inLists(ids, (list) => read.where('id', 'in', list).execute())).map(toMeter);
    },
    livingByKey: async (key: string) =>
      one(
        await meters()
          .selectFrom('meters')
          .selectAll()
          .where('key', '=', key)
          .where('deleted_at', 'is', null)
          .executeTakeFirst(),
      ),
    living: async () =>
      (await meters().selectFrom('meters').selectAll().where('deleted_at', 'is', null).orderBy('id').execute()).map(
        toMeter,
      ),
    livingByEventTypes: async (types: readonly string[]) => {
      if (types.length === 0) return [];
      const living = meters().selectFrom('meters').selectAll().where('deleted_at', 'is', null);
      const query = living.orderBy('created_at').orderBy('id');
      return (await inLists(types, (list) => query.where('event_type', 'in', list).execute())).map(toMeter);
    },
    page: async (
      filters: readonly FilterCondition<MeterFilterField>[],
      sort: Sort<MeterSortField>,
      page: PageRequest,
    ) => {
      let query = meters().selectFrom('meters').where('deleted_at', 'is', null);
      for (const filter of filters) query = query.where(filterExpression(filter.field, filter));
      const { total } = await query.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const rows = await query
        .selectAll()
        .orderBy(sort.field, sort.direction)
        .orderBy('id', sort.direction)
        .limit(page.size)
        .offset((page.number - 1) * page.size)
        .execute();
      return { meters: rows.map(toMeter), total: Number(total) };
    },
    insert: async (meter: Meter) => {
      await meters().insertInto('meters').values(toRow(meter)).execute();
    },
    update: async (meter: Meter) => {
      const { id, ...values } = toRow(meter);
      await meters().updateTable('meters').set(values).where('id', '=', id).execute();
    },
  };
}

function toRow(meter: Meter): MeterRow {
  return {
    id: meter.id,
    key: meter.key,
    name: meter.name,
    description: meter.description ?? null,
    labels: toJson(meter.labels),
    aggregation: meter.aggregation,
    event_type: meter.event_type,
    events_from: meter.events_from === undefined ? null : toStoredInstant(meter.events_from),
    value_property: meter.value_property ?? null,
    dimensions: toJson(meter.dimensions),
    created_at: toStoredInstant(meter.created_at),
    updated_at: toStoredInstant(meter.updated_at),
    deleted_at: meter.deleted_at === undefined ? null : toStoredInstant(meter.deleted_at),
  };
}

function toMeter(row: MeterRow): Meter {
  return {
    id: row.id,
    key: row.key,
    name: row.name,
    ...(row.description !== null && { description: row.description }),
    ...(row.labels !== null && { labels: JSON.parse(row.labels) as Record<string, string> }),
    aggregation: row.aggregation as Meter['aggregation'],
    event_type: row.event_type,
    ...(row.events_from !== null && { events_from: fromStoredInstant(row.events_from) }),
    ...(row.value_property !== null && { value_property: row.value_property }),
    ...(row.dimensions !== null && { dimensions: JSON.parse(row.dimensions) as Record<string, string> }),
    created_at: fromStoredInstant(row.created_at),
    updated_at: fromStoredInstant(row.updated_at),
    ...(row.deleted_at !== null && { deleted_at: fromStoredInstant(row.deleted_at) }),
  };
}

function toJson(value: object | undefined): string | null {
  return value === undefined || Object.keys(value).length === 0 ? null : JSON.stringify(value);
}

/** Meters as a search finds them. */
export const METERS_SEARCHED: SearchedTable = {
  table: 'meters',
  living: 'deleted_at IS NULL',
  shows: { name: 'name', key: 'key' },
  contain: ['key', 'name'],
};
