import type { Sqlite } from '../../../platform/db/sqlite.ts';

/** Rows of a chunk. More make sealing a longer pause, fewer make looking through all chunks longer. */
export const CHUNK_ROWS = 16_384;

const DAY_MS = 86_400_000;

/** The first row that no chunk covers. */
export function firstUnsealedRow(db: Sqlite): number {
  const last = db.prepare('SELECT max(chunk) FROM row_chunks').pluck().get() as number | null;
  return last === null ? 0 : (last + 1) * CHUNK_ROWS;
}

/** Writes down which subjects stand in which rows. Belongs to the writer. */
export interface ChunkWriter {
  /** Seals the next chunk when all its rows are stored. To be called in a transaction. @returns whether one was sealed */
  sealSome(lastRow: number): boolean;
  /** Takes over that an event has become void or counts again. To be called in the transaction that changes it. */
  changed(event: { rowId: number; type: number; subject: number; timeMs: number }, isVoid: boolean): void;
  /** Reads anew what memory knows: after a rollback. */
  reload(): void;
}

interface Row {
  row_id: number;
  subject: number;
  type: number;
  time_ms: number;
  voided_by: number | null;
}

export function openChunkWriter(db: Sqlite): ChunkWriter {
  const read = db.prepare(
    'SELECT row_id, subject, type, time_ms, voided_by FROM events WHERE row_id >= ? AND row_id < ? ORDER BY row_id',
  );
  const insertChunk = db.prepare('INSERT INTO row_chunks VALUES (?, ?, ?)');
  const insertRows = db.prepare('INSERT INTO chunk_subjects VALUES (?, ?, ?)');
  const addDay = db.prepare(
    `INSERT INTO subject_days VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET events = events + excluded.events,
       voided = voided + excluded.voided, last_ms = max(last_ms, excluded.last_ms)`,
  );
  const changeDay = db.prepare(
    'UPDATE subject_days SET voided = voided + ? WHERE day = ? AND subject = ? AND type = ?',
  );
  let next = firstUnsealedRow(db);

  return {
    sealSome(lastRow) {
      if (lastRow + 1 < next + CHUNK_ROWS) return false;
      const rows = read.all(next, next + CHUNK_ROWS) as Row[];
      const chunk = next / CHUNK_ROWS;
      const times = rows.map((row) => row.time_ms);
      // A chunk whose rows are all gone has no time: no range overlaps it.
      const minMs = times.reduce((a, b) => Math.min(a, b), Number.MAX_SAFE_INTEGER);
      insertChunk.run(
        chunk,
        minMs,
        times.reduce((a, b) => Math.max(a, b), -Number.MAX_SAFE_INTEGER),
      );
      const bySubject = Map.groupBy(rows, (row) => row.subject);
      for (const subject of [...bySubject.keys()].sort((a, b) => a - b)) {
        const offsets = Uint16Array.from(bySubject.get(subject) ?? [], (row) => row.row_id - next);
        insertRows.run(chunk, subject, new Uint8Array(offsets.buffer));
      }
      for (const { day, subject, type, events, voided, lastMs } of daysOf(rows)) {
        addDay.run(day, subject, type, events, voided, lastMs);
      }
      next += CHUNK_ROWS;
      return true;
    },
    changed({ rowId, type, subject, timeMs }, isVoid) {
      // Rows that are not sealed yet are counted with what they are by then.
      if (rowId < next) changeDay.run(isVoid ? 1 : -1, Math.floor(timeMs / DAY_MS), subject, type);
    },
    reload() {
      next = firstUnsealedRow(db);
    },
  };
}

/** What some events add to the days of subjects. */
export interface SubjectDay {
  day: number;
  subject: number;
  type: number;
  events: number;
  voided: number;
  lastMs: number;
}

/** In the order of the table's keys. */
export function daysOf(rows: Iterable<Row>): SubjectDay[] {
  const days = new Map<string, SubjectDay>();
  for (const { subject, type, time_ms, voided_by } of rows) {
    const day = Math.floor(time_ms / DAY_MS);
    const key = `${day} ${subject} ${type}`;
    let entry = days.get(key);
    if (entry === undefined) {
      entry = { day, subject, type, events: 0, voided: 0, lastMs: time_ms };
      days.set(key, entry);
    }
    entry.events++;
    if (voided_by !== null) entry.voided++;
    if (time_ms > entry.lastMs) entry.lastMs = time_ms;
  }
  return [...days.values()].sort((a, b) => a.day - b.day || a.subject - b.subject || a.type - b.type);
}

/** The days of the rows that no chunk covers yet: at most some tens of thousands. */
export function unsealedDays(db: Sqlite): SubjectDay[] {
  const rows = db
    .prepare('SELECT row_id, subject, type, time_ms, voided_by FROM events WHERE row_id >= ?')
    .all(firstUnsealedRow(db));
  return daysOf(rows as Row[]);
}
