import { fileURLToPath } from 'node:url';
import { prepareUnknownMigrations } from '../../../platform/db/migrate.ts';
import type { Sqlite } from '../../../platform/db/sqlite.ts';
import type { UsageUpkeep } from '../watch-types.ts';

/** The schema of the usage store. */
export const MIGRATIONS = fileURLToPath(new URL('./migrations', import.meta.url));

/** Reads what is still to be done; asked every few seconds, so it looks at small tables only. */
export function prepareUpkeep(db: Sqlite): () => UsageUpkeep {
  const unfolded = db.prepare('SELECT total(events) FROM rollup_deltas').pluck();
  const backFill = db.prepare(
    `SELECT count(*) AS meters, total(last_row - back_filled_row) AS events FROM rollup_series
     WHERE dropped = 0 AND back_filled_row < last_row`,
  );
  const dirty = db.prepare('SELECT count(*) FROM (SELECT DISTINCT series, quarter FROM rollup_dirty_subjects)').pluck();
  const unknownMigrations = prepareUnknownMigrations(db, MIGRATIONS);
  return () => {
    const { meters, events } = backFill.get() as { meters: number; events: number };
    return {
      unfoldedEvents: unfolded.get() as number,
      backFillingMeters: meters,
      backFillEventsLeft: events,
      quartersToRecompute: dirty.get() as number,
      unknownMigrations: unknownMigrations(),
    };
  };
}
