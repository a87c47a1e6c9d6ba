import { migrateSqlite } from '../../../platform/db/migrate.ts';
import { openSqlite } from '../../../platform/db/sqlite.ts';
import type { VerifyResult } from '../types.ts';
import { openEventWriter } from './event-writer.ts';
import type { WrongBucket } from './rollup/recompute.ts';
import { DEFAULT_ROLLUP_OPTIONS } from './rollup/rollup-writer.ts';
import { verifyRollups } from './rollup/verify.ts';
import { MIGRATIONS } from './upkeep.ts';

/** Of the youngest events, to know them again; nothing is stored here. */
const MEM_TABLE_ENTRIES = 1_000_000;

/**
 * Computes anew, from the events, every kept figure that is not what they say. To be called by who holds the data
 * folder's lock. What was removed by retention is left as it is: there is nothing to compute it from.
 * @returns how many buckets of figures were wrong, and what a comparison finds afterwards
 */
export function repairSqliteUsage(path: string): { recomputed: number; result: VerifyResult } {
  const db = openSqlite(path);
  try {
    migrateSqlite(db, MIGRATIONS);
    const writer = openEventWriter(db, {
      dedupeMemTableEntries: MEM_TABLE_ENTRIES,
      rollups: DEFAULT_ROLLUP_OPTIONS,
    });
    while (writer.backFillStep()) {
      // All that waits first: then rows are all there is.
    }
    while (writer.idleStep()) {
      // Until nothing is left to be folded.
    }
    const wrong: WrongBucket[] = [];
    const before = verifyRollups(db, (bucket) => wrong.push(bucket));
    if (wrong.length === 0) return { recomputed: 0, result: before };
    for (const bucket of wrong) writer.recompute(bucket);
    return { recomputed: wrong.length, result: verifyRollups(db) };
  } finally {
    db.close();
  }
}
