import { type Kysely, type RawBuilder, type SelectQueryBuilder, sql } from 'kysely';
import { filterExpression } from '../../platform/db/filter-expression.ts';
import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { inLists, inPieces } from '../../platform/db/in-lists.ts';
import type { SearchedTable } from '../../platform/db/searched-table.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import type { Sort } from '../../platform/http/sorting.ts';
import { toStoredInstant } from '../../platform/instant.ts';
import { type CustomerRow, toChangeableColumns, toCustomer, toRow } from './customer-row.ts';
import type { Customer, CustomerFilterField, CustomerSortField, UpsertCustomer } from './schema.ts';

interface SubjectKeyRow {
  customer_id: string;
  position: number;
  subject_key: string;
  deleted_at: string | null;
}

interface Tables {
  customers: CustomerRow;
  customer_subject_keys: SubjectKeyRow;
}

type Filters = readonly FilterCondition<CustomerFilterField>[];

/** A subject and a living customer that names it. */
export interface SubjectRow {
  subject: string;
  /** 1 when the subject is the customer's key, 0 when it is one of its subject keys. */
  is_key: number;
  id: string;
  key: string;
  name: string;
}

/**
 * What a filter over another module's data compares: an SQL expression over the table `customers`, of ours. Where a
 * customer has many values, a SELECT of them as `value`; a function of it where they depend on the time.
 */
export interface RelatedColumns {
  billing_profile_id?: string;
  plan_key?: () => string;
}

/** Stored customers and their subject keys. A handle lives as long as the transaction that it is made for. */
export function customerRepository(db: DbHandle) {
  const tables = withTables<Tables>(db);
  return {
    /** False when a living customer has the key. */
    insert: async (customer: Customer): Promise<boolean> => {
      const statement = tables.insertInto('customers').values(toRow(customer));
      const result = await statement
        .onConflict((conflict) => conflict.column('key').where('deleted_at', 'is', null).doNothing())
        .executeTakeFirstOrThrow();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    /** Replaces what a client may change, but for the subject keys. False when no living customer has the id. */
    replace: async (id: string, values: UpsertCustomer, updatedAtMs: number): Promise<boolean> => {
      const columns = { ...toChangeableColumns(values), updated_at: toStoredInstant(updatedAtMs) };
      const statement = tables.updateTable('customers').set(columns).where('id', '=', id);
      const result = await statement.where('deleted_at', 'is', null).executeTakeFirstOrThrow();
      return result.numUpdatedRows === 1n;
    },
    /** Marks the customer and its subject keys as deleted. False when no living customer has the id. */
    markDeleted: async (id: string, deletedAtMs: number): Promise<boolean> => {
      const at = toStoredInstant(deletedAtMs);
      const statement = tables.updateTable('customers').set({ deleted_at: at, updated_at: at });
      const result = await statement.where('id', '=', id).where('deleted_at', 'is', null).executeTakeFirstOrThrow();
      if (result.numUpdatedRows !== 1n) return false;
      await tables.updateTable('customer_subject_keys').set({ deleted_at: at }).where('customer_id', '=', id).execute();
      return true;
    },
    /** As stored, in their order. */
    subjectKeys: async (customerId: string): Promise<string[]> => {
      const own = tables.selectFrom('customer_subject_keys').where('customer_id', '=', customerId);
      return (await own.select('subject_key').orderBy('position').execute()).map((row) => row.subject_key);
    },
    /** Replaces a living customer's subject keys. False when another living customer has one of them. */
    replaceSubjectKeys: (customerId: string, subjectKeys: readonly string[]) =>
      replaceSubjectKeys(tables, customerId, subjectKeys),
    byId: async (id: string): Promise<Customer | undefined> => (await readByIds(tables, [id])).at(0),
    /** Deleted customers too. Unknown ids are absent. */
    byIds: async (ids: readonly string[]): Promise<Customer[]> => inLists(ids, (list) => readByIds(tables, list)),
    /** One page of living customers. */
    page: (filters: Filters, sort: Sort<CustomerSortField>, page: PageRequest, related: RelatedColumns) =>
      readPage(tables, filters, sort, page, related),
    /** Who names these subjects. A subject may appear twice: as one customer's key and as another's subject key. */
    livingSubjects: (subjects: readonly string[]): Promise<SubjectRow[]> =>
      inLists(subjects, (list) => readSubjects(tables, list)),
    allLivingSubjects: (): Promise<SubjectRow[]> => readSubjects(tables, undefined),
  };
}

async function replaceSubjectKeys(
  tables: Kysely<Tables>,
  customerId: string,
  subjectKeys: readonly string[],
): Promise<boolean> {
  await tables.deleteFrom('customer_subject_keys').where('customer_id', '=', customerId).execute();
  if (subjectKeys.length === 0) return true;
  const rows = subjectKeys.map((subject_key, position) => ({
    customer_id: customerId,
    position,
    subject_key,
    deleted_at: null,
  }));
  let inserted = 0n;
  await inPieces(rows, async (piece) => {
    const result = await tables
      .insertInto('customer_subject_keys')
      .values(piece)
      .onConflict((conflict) => conflict.column('subject_key').where('deleted_at', 'is', null).doNothing())
      .executeTakeFirstOrThrow();
    inserted += result.numInsertedOrUpdatedRows ?? 0n;
  });
  return inserted === BigInt(rows.length);
}

async function readByIds(tables: Kysely<Tables>, list: readonly string[]): Promise<Customer[]> {
  const selection = tables.selectFrom('customers').selectAll().where('id', 'in', list);
  return readWithSubjectKeys(tables, selection, { field: 'id', direction: 'asc' });
}

async function readPage(
  tables: Kysely<Tables>,
  filters: Filters,
  sort: Sort<CustomerSortField>,
  page: PageRequest,
  related: RelatedColumns,
): Promise<{ customers: Customer[]; total: number }> {
  let living = tables.selectFrom('customers').where('deleted_at', 'is', null);
  for (const filter of filters) {
    const { field } = filter;
    if (field !== 'usage_attribution_subject_key' && field !== 'plan_key') {
      living = living.where(filterExpression(columnOf(field, related), filter));
    }
  }
  const planKeys = related.plan_key?.() ?? 'SELECT NULL AS value';
  for (const condition of manyValued(filters, 'usage_attribution_subject_key', SUBJECT_KEYS_SQL)) {
    living = living.where(condition);
  }
  for (const condition of manyValued(filters, 'plan_key', planKeys)) living = living.where(condition);
  const { total } = await living.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  const selection = living
    .selectAll()
    .orderBy(sort.field, sort.direction)
    .orderBy('id', sort.direction)
    .limit(page.size)
    .offset((page.number - 1) * page.size);
  return { customers: await readWithSubjectKeys(tables, selection, sort), total: Number(total) };
}

function columnOf(
  field: Exclude<CustomerFilterField, 'usage_attribution_subject_key' | 'plan_key'>,
  related: RelatedColumns,
): string {
  if (field !== 'billing_profile_id') return `customers.${field}`;
  // Without billing nobody has a profile.
  return related[field] ?? 'NULL';
}

const SUBJECT_KEYS_SQL =
  'SELECT own.subject_key AS value FROM customer_subject_keys AS own WHERE own.customer_id = customers.id';

/**
 * Of some things a customer has many: it matches when one of them meets all positive conditions, and, for neq and
 * exists=false, when none of them is the value, or there is none at all.
 * @param values a SELECT of the customer's values as `value`, of ours
 */
function manyValued(filters: Filters, field: CustomerFilterField, values: string): RawBuilder<boolean>[] {
  const own = filters.filter((filter) => filter.field === field);
  const isNegative = ({ operator, values: [value] }: FilterCondition) =>
    operator === 'neq' || (operator === 'exists' && value === 'false');
  const hasOne = (conditions: readonly FilterCondition[]) => {
    const all = [
      sql`own_value.value IS NOT NULL`,
      ...conditions.map((one) => filterExpression('own_value.value', one)),
    ];
    const where = sql.join(all, sql.raw(' AND '));
    return sql<boolean>`EXISTS (SELECT 1 FROM (${sql.raw(values)}) AS own_value WHERE ${where})`;
  };
  const positive = own.filter((filter) => !isNegative(filter));
  const negative = own.filter(isNegative);
  return [
    ...(positive.length > 0 ? [hasOne(positive)] : []),
    ...negative.map((filter) => {
      const opposite = filter.operator === 'neq' ? ([{ ...filter, operator: 'eq' }] as const) : [];
      return sql<boolean>`NOT ${hasOne(opposite)}`;
    }),
  ];
}

/** Reads in one statement: two would show a customer of before a change with the subject keys of after it. */
async function readWithSubjectKeys(
  tables: Kysely<Tables>,
  selection: SelectQueryBuilder<Tables, 'customers', CustomerRow>,
  sort: Sort<CustomerSortField>,
): Promise<Customer[]> {
  const rows = await tables
    .selectFrom(selection.as('customer'))
    .leftJoin('customer_subject_keys as subject', 'subject.customer_id', 'customer.id')
    .selectAll('customer')
    .select('subject.subject_key')
    .orderBy(`customer.${sort.field}`, sort.direction)
    .orderBy('customer.id', sort.direction)
    .orderBy('subject.position')
    .execute();
  const byId = Map.groupBy(rows, (row) => row.id);
  return [...byId.values()].map((group) => toCustomer(group));
}

/** @param list undefined: all */
function readSubjects(tables: Kysely<Tables>, list: readonly string[] | undefined): Promise<SubjectRow[]> {
  const byKey = tables
    .selectFrom('customers')
    .where('deleted_at', 'is', null)
    .$if(list !== undefined, (query) => query.where('key', 'in', list ?? []))
    .select((eb) => ['key as subject', eb.lit<number>(1).as('is_key'), 'id', 'key', 'name'] as const);
  const bySubjectKey = tables
    .selectFrom('customer_subject_keys as own')
    .innerJoin('customers', 'customers.id', 'own.customer_id')
    .where('own.deleted_at', 'is', null)
    .$if(list !== undefined, (query) => query.where('own.subject_key', 'in', list ?? []))
    .select(
      (eb) =>
        [
          'own.subject_key as subject',
          eb.lit<number>(0).as('is_key'),
          'customers.id',
          'customers.key',
          'customers.name',
        ] as const,
    );
  return byKey.unionAll(bySubjectKey).execute();
}

/** Customers as a search finds them: by key, name or e-mail, or by a subject of theirs. */
export const CUSTOMERS_SEARCHED: SearchedTable = {
  table: 'customers',
  living: 'deleted_at IS NULL',
  shows: { name: 'name', key: 'key' },
  contain: ['key', 'name', 'primary_email'],
  also: (text) => ({
    text: 'id IN (SELECT customer_id FROM customer_subject_keys WHERE deleted_at IS NULL AND subject_key = ?)',
    params: [text],
  }),
};
