import { type RawBuilder, sql } from 'kysely';
import { filterExpression } from '../../platform/db/filter-expression.ts';
import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import { parseInstant, toStoredInstant } from '../../platform/instant.ts';

/** Now for every customer: the real one but for those on a test clock. For lists and jobs over all customers. */
export interface NowByCustomer {
  realMs: number;
  /** At most 500. */
  ofTestClocks: ReadonlyMap<string, number>;
  of(customerId: string): number;
}

/** The stored now of a row's customer, by its column `customer_id`: each customer lives by its own. */
export function storedNow(now: NowByCustomer): RawBuilder<string> {
  const real = sql<string>`${toStoredInstant(now.realMs)}`;
  if (now.ofTestClocks.size === 0) return real;
  const own = [...now.ofTestClocks].map(([id, atMs]) => sql`WHEN ${id} THEN ${toStoredInstant(atMs)}`);
  return sql<string>`(CASE customer_id ${sql.join(own, sql.raw(' '))} ELSE ${real} END)`;
}

interface TestClockRow {
  customer_id: string;
  now_at: string;
  created_at: string;
  updated_at: string;
}

interface Tables {
  test_clocks: TestClockRow;
}

/** A customer's own now. */
export interface StoredTestClock {
  customerId: string;
  nowMs: number;
  createdAtMs: number;
  updatedAtMs: number;
}

/** Stored test clocks. A handle lives as long as the transaction that it is made for. */
export function testClockRepository(db: DbHandle) {
  const tables = withTables<Tables>(db);
  return {
    byCustomer: async (customerId: string): Promise<StoredTestClock | undefined> => {
      const row = await tables
        .selectFrom('test_clocks')
        .selectAll()
        .where('customer_id', '=', customerId)
        .executeTakeFirst();
      return row && fromRow(row);
    },
    all: async (): Promise<StoredTestClock[]> =>
      (await tables.selectFrom('test_clocks').selectAll().orderBy('customer_id').execute()).map(fromRow),
    /** In the order of their customers. */
    page: async (
      filters: readonly FilterCondition<'customer_id'>[],
      page: PageRequest,
    ): Promise<{ clocks: StoredTestClock[]; total: number }> => {
      let matching = tables.selectFrom('test_clocks');
      for (const filter of filters) matching = matching.where(filterExpression('customer_id', filter));
      const { total } = await matching.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const rows = await matching
        .selectAll()
        .orderBy('customer_id')
        .limit(page.size)
        .offset((page.number - 1) * page.size)
        .execute();
      return { clocks: rows.map(fromRow), total: Number(total) };
    },
    count: async (): Promise<number> => {
      const counting = tables.selectFrom('test_clocks').select((eb) => eb.fn.countAll<number>().as('total'));
      const { total } = await counting.executeTakeFirstOrThrow();
      return Number(total);
    },
    insert: async (clock: StoredTestClock): Promise<void> => {
      await tables.insertInto('test_clocks').values(toRow(clock)).execute();
    },
    /** False when the clock does not stand at `fromMs` any more. */
    move: async (customerId: string, fromMs: number, toMs: number, updatedAtMs: number): Promise<boolean> => {
      const statement = tables
        .updateTable('test_clocks')
        .set({ now_at: toStoredInstant(toMs), updated_at: toStoredInstant(updatedAtMs) })
        .where('customer_id', '=', customerId)
        .where('now_at', '=', toStoredInstant(fromMs));
      return (await statement.executeTakeFirstOrThrow()).numUpdatedRows === 1n;
    },
    remove: async (customerId: string): Promise<void> => {
      await tables.deleteFrom('test_clocks').where('customer_id', '=', customerId).execute();
    },
  };
}

function toRow(clock: StoredTestClock): TestClockRow {
  return {
    customer_id: clock.customerId,
    now_at: toStoredInstant(clock.nowMs),
    created_at: toStoredInstant(clock.createdAtMs),
    updated_at: toStoredInstant(clock.updatedAtMs),
  };
}

function fromRow(row: TestClockRow): StoredTestClock {
  const read = (text: string) => parseInstant(text) ?? Number.NaN;
  return {
    customerId: row.customer_id,
    nowMs: read(row.now_at),
    createdAtMs: read(row.created_at),
    updatedAtMs: read(row.updated_at),
  };
}
