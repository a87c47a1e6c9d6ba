import { filterExpression } from '../../platform/db/filter-expression.ts';
import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { inLists } from '../../platform/db/in-lists.ts';
import { nullsSmallest } from '../../platform/db/ordering.ts';
import type { SearchedTable } from '../../platform/db/searched-table.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import type { Sort } from '../../platform/http/sorting.ts';
import { fromStoredInstant, toStoredInstant } from '../../platform/instant.ts';
import type { Feature, FeatureFilterField, FeatureSortField } from './schema.ts';

interface FeatureRow {
  id: string;
  key: string;
  name: string;
  description: string | null;
  labels: string | null;
  meter_id: string | null;
  meter_filters: string | null;
  dimension_paths: string | null;
  unit_cost: string | null;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

/** Stored features. A handle lives as long as the transaction that it is made for. */
export function featureRepository(db: DbHandle) {
  const tables = withTables<{ features: FeatureRow }>(db);
  const features = () => tables.selectFrom('features').selectAll();
  return {
    /** Archived ones too; unknown ids are absent. */
    byIds: (ids: readonly string[]): Promise<Feature[]> =>
      allFeatures(inLists(ids, (list) => features().where('id', 'in', list).execute())),
    /** All features that have or had one of the keys, those archived first before those archived later. */
    byKeys: (keys: readonly string[]): Promise<Feature[]> =>
      allFeatures(
        inLists(keys, (list) =>
          features().where('key', 'in', list).orderBy('deleted_at', nullsSmallest('asc')).orderBy('id').execute(),
        ),
      ),
    livingByKey: async (key: string): Promise<Feature | undefined> => {
      const row = await features().where('key', '=', key).where('deleted_at', 'is', null).executeTakeFirst();
      return row && toFeature(row);
    },
    livingByMeter: async (meterId: string): Promise<Feature[]> => {
      const living = features().where('meter_id', '=', meterId).where('deleted_at', 'is', null);
      return (await living.orderBy('id').execute()).map(toFeature);
    },
    /** Archived ones too, oldest first. */
    byMeters: (meterIds: readonly string[]): Promise<Feature[]> =>
      allFeatures(inLists(meterIds, (list) => features().where('meter_id', 'in', list).orderBy('id').execute())),
    /** Paths of the dimensions that archived features read, as their meters had them; features without are absent. */
    dimensionPaths: async (ids: readonly string[]): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> => {
      const read = tables.selectFrom('features').select(['id', 'dimension_paths']);
      const rows = await inLists(ids, (list) =>
        read.where('id', 'in', list).where('dimension_paths', 'is not', null).execute(),
      );
      return new Map(rows.map(({ id, dimension_paths }) => [id, JSON.parse(dimension_paths ?? '{}')]));
    },
    page: async (
      filters: readonly FilterCondition<FeatureFilterField>[],
      sort: Sort<FeatureSortField>,
      page: PageRequest,
    ): Promise<{ features: Feature[]; total: number }> => {
      let living = tables.selectFrom('features').where('deleted_at', 'is', null);
      for (const filter of filters) living = living.where(filterExpression(filter.field, filter));
      const { total } = await living.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const rows = await living
        .selectAll()
        .orderBy(sort.field, sort.direction)
        .orderBy('id', sort.direction)
        .limit(page.size)
        .offset((page.number - 1) * page.size)
        .execute();
      return { features: rows.map(toFeature), total };
    },
    insert: async (feature: Feature): Promise<void> => {
      await tables.insertInto('features').values(toRow(feature)).execute();
    },
    setUnitCost: async (id: string, unitCost: Feature['unit_cost'], updatedAtMs: number): Promise<void> => {
      const values = { unit_cost: toJson(unitCost), updated_at: toStoredInstant(updatedAtMs) };
      await tables.updateTable('features').set(values).where('id', '=', id).execute();
    },
    archive: async (id: string, paths: Readonly<Record<string, string>>, archivedAtMs: number): Promise<void> => {
      const at = toStoredInstant(archivedAtMs);
      const values = { dimension_paths: toJson(paths), deleted_at: at, updated_at: at };
      await tables.updateTable('features').set(values).where('id', '=', id).execute();
    },
  };
}

async function allFeatures(rows: Promise<FeatureRow[]>): Promise<Feature[]> {
  return (await rows).map(toFeature);
}

function toRow(feature: Feature): FeatureRow {
  return {
    id: feature.id,
    key: feature.key,
    name: feature.name,
    description: feature.description ?? null,
    labels: toJson(feature.labels),
    meter_id: feature.meter?.id ?? null,
    meter_filters: toJson(feature.meter?.filters),
    dimension_paths: null,
    unit_cost: toJson(feature.unit_cost),
    created_at: toStoredInstant(feature.created_at),
    updated_at: toStoredInstant(feature.updated_at),
    deleted_at: feature.deleted_at === undefined ? null : toStoredInstant(feature.deleted_at),
  };
}

function toFeature(row: FeatureRow): Feature {
  return {
    id: row.id,
    key: row.key,
    name: row.name,
    ...(row.description !== null && { description: row.description }),
    ...(row.labels !== null && { labels: JSON.parse(row.labels) as Record<string, string> }),
    ...(row.meter_id !== null && {
      meter: {
        id: row.meter_id,
        ...(row.meter_filters !== null && {
          filters: JSON.parse(row.meter_filters) as NonNullable<NonNullable<Feature['meter']>['filters']>,
        }),
      },
    }),
    ...(row.unit_cost !== null && { unit_cost: JSON.parse(row.unit_cost) as NonNullable<Feature['unit_cost']> }),
    created_at: fromStoredInstant(row.created_at),
    updated_at: fromStoredInstant(row.updated_at),
    ...(row.deleted_at !== null && { deleted_at: fromStoredInstant(row.deleted_at) }),
  };
}

function toJson(value: object | undefined): string | null {
  return value === undefined || Object.keys(value).length === 0 ? null : JSON.stringify(value);
}

/** Features as a search finds them; archived ones are not found. */
export const FEATURES_SEARCHED: SearchedTable = {
  table: 'features',
  living: 'deleted_at IS NULL',
  shows: { name: 'name', key: 'key' },
  contain: ['key', 'name'],
};
