import type { Kysely } from 'kysely';
import { filterExpression } from '../../platform/db/filter-expression.ts';
import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { inLists } from '../../platform/db/in-lists.ts';
import type { SearchedTable } from '../../platform/db/searched-table.ts';
import { defined } from '../../platform/defined.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import type { Sort } from '../../platform/http/sorting.ts';
import { fromStoredInstant, parseInstant, toStoredInstant } from '../../platform/instant.ts';
import type { Labels } from './types.ts';
import type { Version, VersionChange, VersionFilterField, VersionSortField, VersionTable } from './version.ts';

interface VersionRow {
  id: string;
  key: string;
  version: number;
  name: string;
  description: string | null;
  labels: string | null;
  currency: string;
  content: string;
  effective_from: string | null;
  effective_to: string | null;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

type Tables = Kysely<{ plans: VersionRow }>;

/** Stored versions of plans or of add-ons. A handle lives as long as the transaction that it is made for. */
export function versionRepository<Content>(db: DbHandle, kind: VersionTable) {
  // Both tables have the same columns, so what is right for the one is right for the other.
  const table = kind as 'plans';
  const tables: Tables = withTables(db);
  return { ...reads<Content>(tables, table), ...numbers(tables, table), ...writes<Content>(tables, table) };
}

function reads<Content>(tables: Tables, table: 'plans') {
  const rows = () => tables.selectFrom(table).selectAll();
  const read = (row: VersionRow | undefined) => (row === undefined ? undefined : toVersion<Content>(row));
  return {
    /** Deleted versions too. */
    byId: async (id: string) => read(await rows().where('id', '=', id).executeTakeFirst()),
    /** Deleted versions too; unknown ids are absent. */
    byIds: async (ids: readonly string[]): Promise<Version<Content>[]> => {
      const found = await inLists(ids, (list) => rows().where('id', 'in', list).execute());
      return found.map((row) => toVersion(row));
    },
    /** Deleted versions too. */
    byKeyAndVersion: async (key: string, version: number) =>
      read(await rows().where('key', '=', key).where('version', '=', version).executeTakeFirst()),
    /** The living draft of the key. */
    draft: async (key: string) => {
      const living = rows().where('key', '=', key).where('deleted_at', 'is', null);
      return read(await living.where('effective_from', 'is', null).executeTakeFirst());
    },
    /** The version in force at the instant. */
    activeAt: async (key: string, atMs: number) => {
      const at = toStoredInstant(atMs);
      const begun = rows().where('key', '=', key).where('deleted_at', 'is', null).where('effective_from', '<=', at);
      const inForce = begun.where((eb) => eb.or([eb('effective_to', 'is', null), eb('effective_to', '>', at)]));
      return read(await inForce.executeTakeFirst());
    },
    /** The published version of the key that has no end; at most one, see the index. */
    withoutEnd: async (key: string) => {
      const living = rows().where('key', '=', key).where('deleted_at', 'is', null);
      return read(
        await living.where('effective_from', 'is not', null).where('effective_to', 'is', null).executeTakeFirst(),
      );
    },
    /** Published versions that are not over at the instant and whose content has the id: a ULID is in nothing else. */
    namesOfThoseWith: async (id: string, atMs: number): Promise<string[]> => {
      const published = tables
        .selectFrom(table)
        .where('deleted_at', 'is', null)
        .where('effective_from', 'is not', null);
      const lasting = published.where((eb) =>
        eb.or([eb('effective_to', 'is', null), eb('effective_to', '>', toStoredInstant(atMs))]),
      );
      const found = lasting.where('content', 'like', `%"${id}"%`).select(['key', 'version']).orderBy('id');
      return (await found.execute()).map(({ key, version }) => `"${key}" version ${version}`);
    },
    /** One page of living versions. @param atMs decides their status */
    page: (filters: VersionFilters, sort: Sort<VersionSortField>, page: PageRequest, atMs: number) =>
      readPage<Content>(tables, table, { filters, sort, page, atMs }),
  };
}

function numbers(tables: Tables, table: 'plans') {
  return {
    /** The latest instant at which a published version of the key begins or ends; deleted ones count. */
    latestBoundMs: async (key: string): Promise<number | undefined> => {
      const published = tables.selectFrom(table).where('key', '=', key);
      const latest = await published
        .select((eb) => [eb.fn.max('effective_from').as('from'), eb.fn.max('effective_to').as('to')])
        .executeTakeFirstOrThrow();
      return [latest.from, latest.to].map((text) => parseInstant(text ?? '')).reduce(later);
    },
    /** 0 when the key has no version; deleted ones count. */
    highestVersion: async (key: string): Promise<number> => {
      const query = tables.selectFrom(table).where('key', '=', key);
      const { highest } = await query.select((eb) => eb.fn.max('version').as('highest')).executeTakeFirstOrThrow();
      return highest ?? 0;
    },
  };
}

function writes<Content>(tables: Tables, table: 'plans') {
  return {
    insert: async (version: Version<Content>): Promise<void> => {
      await tables.insertInto(table).values(toRow(version)).execute();
    },
    /** Replaces what a client may change. False unless a living version has the id that is not in force yet. */
    replace: async (id: string, change: VersionChange<Content>, atMs: number): Promise<boolean> => {
      const at = toStoredInstant(atMs);
      const statement = tables.updateTable(table).set({ ...toColumns(change), updated_at: at });
      const living = statement.where('id', '=', id).where('deleted_at', 'is', null);
      const result = await living
        .where((eb) => eb.or([eb('effective_from', 'is', null), eb('effective_from', '>', at)]))
        .executeTakeFirstOrThrow();
      return result.numUpdatedRows === 1n;
    },
    setPeriod: async (id: string, period: { fromMs: number; toMs: number | undefined }, atMs: number) => {
      const effective_from = toStoredInstant(period.fromMs);
      const effective_to = period.toMs === undefined ? null : toStoredInstant(period.toMs);
      const change = { effective_from, effective_to, updated_at: toStoredInstant(atMs) };
      await tables.updateTable(table).set(change).where('id', '=', id).execute();
    },
    markDeleted: async (id: string, atMs: number): Promise<void> => {
      const at = toStoredInstant(atMs);
      await tables.updateTable(table).set({ deleted_at: at, updated_at: at }).where('id', '=', id).execute();
    },
  };
}

function later(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

type VersionFilters = readonly FilterCondition<VersionFilterField>[];

async function readPage<Content>(
  tables: Tables,
  table: 'plans',
  request: { filters: VersionFilters; sort: Sort<VersionSortField>; page: PageRequest; atMs: number },
): Promise<{ versions: Version<Content>[]; total: number }> {
  const { filters, sort, page, atMs } = request;
  let query = tables.selectFrom(table).where('deleted_at', 'is', null);
  for (const filter of filters) {
    const column = filter.field === 'status' ? statusExpression(atMs) : filter.field;
    query = query.where(filterExpression(column, filter));
  }
  const { total } = await query.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  const rows = await query
    .selectAll()
    .orderBy(sort.field, sort.direction)
    .orderBy('id', sort.direction)
    .limit(page.size)
    .offset((page.number - 1) * page.size)
    .execute();
  return { versions: rows.map((row) => toVersion<Content>(row)), total: Number(total) };
}

/** `statusAt` of lifecycle.ts, for filters. The instant is text that we wrote, so it may stand in the statement. */
function statusExpression(atMs: number): string {
  const at = `'${toStoredInstant(atMs)}'`;
  return `CASE WHEN effective_from IS NULL THEN 'draft' WHEN effective_to <= ${at} THEN 'archived'
    WHEN effective_from <= ${at} THEN 'active' ELSE 'scheduled' END`;
}

function toColumns<Content>(change: VersionChange<Content>) {
  return {
    name: change.name,
    description: change.description ?? null,
    labels: change.labels === undefined ? null : JSON.stringify(change.labels),
    content: JSON.stringify(change.content),
  };
}

function toRow<Content>(version: Version<Content>): VersionRow {
  const stored = (instant: string | undefined) => (instant === undefined ? null : toStoredInstant(instant));
  return {
    id: version.id,
    key: version.key,
    version: version.version,
    currency: version.currency,
    ...toColumns(version),
    effective_from: stored(version.effectiveFrom),
    effective_to: stored(version.effectiveTo),
    created_at: toStoredInstant(version.createdAt),
    updated_at: toStoredInstant(version.updatedAt),
    deleted_at: stored(version.deletedAt),
  };
}

function toVersion<Content>(row: VersionRow): Version<Content> {
  const instant = (text: string | null) => (text === null ? undefined : fromStoredInstant(text));
  return {
    id: row.id,
    key: row.key,
    version: row.version,
    name: row.name,
    currency: row.currency,
    content: JSON.parse(row.content) as Content,
    ...defined({
      description: row.description,
      labels: row.labels === null ? undefined : (JSON.parse(row.labels) as Labels),
      effectiveFrom: instant(row.effective_from),
      effectiveTo: instant(row.effective_to),
      deletedAt: instant(row.deleted_at),
    }),
    createdAt: fromStoredInstant(row.created_at),
    updatedAt: fromStoredInstant(row.updated_at),
  };
}

/** Versions as a search finds them. */
export const versionsSearched = (table: VersionTable): SearchedTable => ({
  table,
  living: 'deleted_at IS NULL',
  shows: { name: 'name', key: 'key', version: 'version' },
  contain: ['key', 'name'],
});
