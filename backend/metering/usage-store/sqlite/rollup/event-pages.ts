import type { Sqlite } from '../../../../platform/db/sqlite.ts';

export interface EventRow {
  row_id: number;
  subject: number;
  time_ms: number;
  data: string | null;
}

/** Events with their data that are in memory at a time. */
const EVENTS_AT_A_TIME = 5000;

/**
 * The events of a type in a stretch of time that count, some at a time: what they add may have to be written, which no
 * open statement allows.
 */
export function prepareEventPages(db: Sqlite): (type: number, fromMs: number, toMs: number) => Generator<EventRow[]> {
  const next = db.prepare(
    `SELECT row_id, subject, time_ms, data FROM events INDEXED BY events_by_time
     WHERE (time_ms, row_id) > (?, ?) AND time_ms < ? AND type = ? AND voided_by IS NULL
     ORDER BY time_ms, row_id LIMIT ${EVENTS_AT_A_TIME}`,
  );
  return function* pages(type, fromMs, toMs) {
    let after: Pick<EventRow, 'time_ms' | 'row_id'> | undefined = { time_ms: fromMs, row_id: 0 };
    while (after !== undefined) {
      const found = next.all(after.time_ms, after.row_id, toMs, type) as EventRow[];
      yield found;
      after = found.length < EVENTS_AT_A_TIME ? undefined : found.at(-1);
    }
  };
}
