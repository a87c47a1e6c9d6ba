import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import type { CorrectionRequest } from '../../correction-types.ts';
import { bucketOf } from '../../series/levels.ts';
import type { EventPosition } from '../../types.ts';

/** The next rows of a correction, changed in one transaction with everything that counts them. */
export interface CorrectionSlice {
  id: string;
  /** The first slice brings the correction itself. */
  begin?: (CorrectionRequest & { lastRow: number; expected: number }) | undefined;
  rowIds: readonly number[];
  /** Where the next slice begins; undefined after the last one. */
  next: EventPosition | undefined;
  nowMs: number;
}

/** An event that has become void or counts again. */
export interface ChangedEvent {
  rowId: number;
  type: number;
  subject: number;
  timeMs: number;
}

export interface CorrectionEffects {
  /** Roll-ups of a quarter of an hour are not true any more for a subject. @param type name_id */
  markDirty(type: number, quarter: number, subject: number): void;
  changed(event: ChangedEvent, isVoid: boolean): void;
}

/** Changes events. Belongs to the writer; to be called in a transaction. */
export function prepareCorrectionWriter(db: Sqlite, effects: CorrectionEffects): (slice: CorrectionSlice) => void {
  const insert = db.prepare(
    `INSERT INTO corrections (id, action, reason, made_by, made_at_ms, note, selection, last_row, events, expected)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`,
  );
  const find = db.prepare('SELECT correction, action FROM corrections WHERE id = ?');
  // Another correction may have been faster: only events in the other state change.
  const change = (sql: string) => db.prepare(`UPDATE events SET ${sql} RETURNING type, subject, time_ms AS timeMs`);
  const voiding = change('voided_by = ? WHERE row_id = ? AND voided_by IS NULL');
  const restoring = change('voided_by = NULL WHERE row_id = ? AND voided_by IS NOT NULL');
  const log = db.prepare('INSERT INTO event_changes (correction, row_id, at_ms) VALUES (?, ?, ?)');
  const lastChange = db.prepare('SELECT at_ms FROM event_changes ORDER BY change DESC LIMIT 1').pluck();
  const progress = db.prepare(
    'UPDATE corrections SET events = events + ?, position = ?, finished_at_ms = ? WHERE correction = ?',
  );

  return ({ id, begin, rowIds, next, nowMs }) => {
    if (begin !== undefined) {
      const { action, reason, madeBy, note, selection, lastRow, expected } = begin;
      insert.run(id, action, reason, madeBy, nowMs, note, JSON.stringify(selection), lastRow, expected);
    }
    const { correction, action } = find.get(id) as { correction: number; action: 'void' | 'restore' };
    const isVoid = action === 'void';
    // A clock may step back; the changes keep their instants in order all the same.
    const atMs = Math.max(nowMs, (lastChange.get() as number | undefined) ?? 0);
    let changes = 0;
    for (const rowId of rowIds) {
      const row = isVoid ? voiding.get(correction, rowId) : restoring.get(rowId);
      if (row === undefined) continue;
      const event = { rowId, ...(row as Omit<ChangedEvent, 'rowId'>) };
      log.run(correction, rowId, atMs);
      effects.changed(event, isVoid);
      effects.markDirty(event.type, bucketOf('quarter', event.timeMs), event.subject);
      changes++;
    }
    progress.run(
      changes,
      next === undefined ? null : JSON.stringify(next),
      next === undefined ? nowMs : null,
      correction,
    );
  };
}
