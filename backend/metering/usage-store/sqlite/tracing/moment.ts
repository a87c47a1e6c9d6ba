import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import type { UsageMoment, UsageSnapshot } from '../../tracing-types.ts';
import { firstAt, firstRowAt } from '../event-conditions.ts';

/** The last row and the last change of an event that a moment knows. */
export interface Moment {
  row: number;
  change: number;
}

const SNAPSHOT = /^(\d{1,15})\.(\d{1,15})$/;

/** The moment of the reader's snapshot. */
export function currentSnapshot(db: Sqlite): UsageSnapshot {
  const row = db.prepare('SELECT max(row_id) FROM events').pluck().get() as number | null;
  const change = db.prepare('SELECT max(change) FROM event_changes').pluck().get() as number | null;
  return `${row ?? 0}.${change ?? 0}`;
}

/** @throws Error for a text that is no snapshot */
export function toMoment(db: Sqlite, moment: UsageMoment): Moment {
  if ('atMs' in moment) {
    const after = moment.atMs + 1;
    const change = firstAt(db, { table: 'event_changes', key: 'change', column: 'at_ms' }, after) - 1;
    return { row: firstRowAt(db, 'stored_at_ms', after) - 1, change };
  }
  const match = SNAPSHOT.exec(moment.snapshot);
  if (match === null) throw new Error(`not a snapshot of the usage store: ${moment.snapshot}`);
  return { row: Number.parseInt(match[1] ?? '', 10), change: Number.parseInt(match[2] ?? '', 10) };
}

/** Tells whether an event was void at a moment. */
export function voidAt(db: Sqlite, { change }: Moment): (rowId: number, isVoidNow: boolean) => boolean {
  // The first change after the moment tells the state before it.
  const next = db
    .prepare(
      `SELECT action FROM event_changes JOIN corrections USING (correction)
       WHERE row_id = ? AND change > ? ORDER BY change LIMIT 1`,
    )
    .pluck();
  return (rowId, isVoidNow) => {
    const action = next.get(rowId, change) as string | undefined;
    return action === undefined ? isVoidNow : action === 'restore';
  };
}
