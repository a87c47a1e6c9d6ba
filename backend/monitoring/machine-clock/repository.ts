import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { toStoredInstant } from '../../platform/instant.ts';

const MACHINE = 'machine';

/** The last instant that was believed. */
export function trustedClockRepository(db: DbHandle) {
  const tables = withTables<{ trusted_clock: { name: string; seen_at: string } }>(db);
  return {
    seenAtMs: async (): Promise<number | undefined> => {
      const row = await tables.selectFrom('trusted_clock').selectAll().where('name', '=', MACHINE).executeTakeFirst();
      return row && Date.parse(row.seen_at);
    },
    setSeen: async (atMs: number): Promise<void> => {
      const seen_at = toStoredInstant(atMs);
      await tables
        .insertInto('trusted_clock')
        .values({ name: MACHINE, seen_at })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ seen_at }))
        .execute();
    },
  };
}
