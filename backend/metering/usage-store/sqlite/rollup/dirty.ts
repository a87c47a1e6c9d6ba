import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import { bucketOf } from '../../series/levels.ts';

/** Quarters of an hour whose roll-ups are not true any more for some subjects; see the table's comment. */
export interface DirtyQuarters {
  /** To be called in the transaction that changes an event. @param type name_id of its type */
  mark(type: number, quarter: number, subject: number): void;
  /** The time of a delta that cannot be read, for all subjects of its series. */
  markDelta(delta: { series: number; first_ms: number | null; last_ms: number | null }): void;
  /** The first one of a series whose events are all counted. @param isSkipped one that is passed over */
  next(isSkipped: (quarter: { series: number; quarter: number }) => boolean): DirtyQuarter | undefined;
}

export interface DirtyQuarter {
  series: number;
  quarter: number;
  /** name_ids; undefined: all. */
  subjects: readonly number[] | undefined;
}

export function openDirtyQuarters(db: Sqlite): DirtyQuarters {
  const insert = db.prepare(
    `INSERT OR IGNORE INTO rollup_dirty_subjects
     SELECT series, ?, ? FROM rollup_series WHERE event_type = ? AND dropped = 0`,
  );
  const first = db.prepare(
    `SELECT series, quarter FROM rollup_dirty_subjects JOIN rollup_series USING (series)
     WHERE dropped = 0 AND back_filled_row >= last_row GROUP BY series, quarter ORDER BY series, quarter`,
  );
  const insertAll = db.prepare('INSERT OR IGNORE INTO rollup_dirty_subjects VALUES (?, ?, 0)');
  const subjectsOf = db
    .prepare('SELECT subject FROM rollup_dirty_subjects WHERE series = ? AND quarter = ? ORDER BY subject')
    .pluck();
  return {
    mark: (type, quarter, subject) => {
      insert.run(quarter, subject, type);
    },
    markDelta: ({ series, first_ms, last_ms }) => {
      // Deltas of before these columns are long folded.
      if (first_ms === null || last_ms === null) return;
      for (let quarter = bucketOf('quarter', first_ms); quarter <= bucketOf('quarter', last_ms); quarter++) {
        insertAll.run(series, quarter);
      }
    },
    next: (isSkipped) => {
      let found: { series: number; quarter: number } | undefined;
      for (const row of first.iterate() as IterableIterator<{ series: number; quarter: number }>) {
        if (isSkipped(row)) continue;
        found = row;
        break;
      }
      if (found === undefined) return undefined;
      const subjects = subjectsOf.all(found.series, found.quarter) as number[];
      return { ...found, subjects: subjects.includes(0) ? undefined : subjects };
    },
  };
}

/** The dirty quarters of a series, ascending. @param subjects only those that are dirty for one of these; undefined: all */
export function dirtyQuartersOf(db: Sqlite, series: number, subjects?: ReadonlySet<number>): number[] {
  const ofSubjects = subjects === undefined ? '' : 'AND (subject = 0 OR subject IN (SELECT value FROM json_each(?)))';
  return db
    .prepare(
      `SELECT DISTINCT quarter FROM rollup_dirty_subjects WHERE series = ? ${ofSubjects} ORDER BY series, quarter`,
    )
    .pluck()
    .all(series, ...(subjects === undefined ? [] : [JSON.stringify([...subjects])])) as number[];
}
