import type { Sqlite } from '../../../../platform/db/sqlite.ts';

/** Rows of a chunk. More make sealing a longer pause, fewer make looking through all chunks longer. */
export const CHUNK_ROWS = 16_384;

/** Events in memory that wait to be sealed, some 10 MB: more only while older ones are still to be sealed. */
const MAX_YOUNG = 4 * CHUNK_ROWS;

const DAY_MS = 86_400_000;

/** The first row that no chunk covers. */
export function firstUnsealedRow(db: Sqlite): number {
  const last = db.prepare('SELECT max(chunk) FROM row_chunks').pluck().get() as number | null;
  return last === null ? 0 : (last + 1) * CHUNK_ROWS;
}

/** Writes down which subjects stand in which rows. Belongs to the writer. */
export interface ChunkWriter {
  /** Takes a new event, so that sealing need not read it back. */
  add(rowId: number, subject: number, type: number, timeMs: number): void;
  /** Seals the next chunk when all its rows are stored. To be called in a transaction. @returns whether one was sealed */
  sealSome(lastRow: number): boolean;
  /** Takes over that an event has become void or counts again. To be called in the transaction that changes it. */
  changed(event: { rowId: number; type: number; subject: number; timeMs: number }, isVoid: boolean): void;
  /** Reads anew what memory knows: after a rollback. */
  reload(): void;
}

/** What is read of an event. Arrays, as each event comes by here. */
type Row = [rowId: number, subject: number, type: number, timeMs: number, voidedBy: number | null];

const COLUMNS = 'row_id, subject, type, time_ms, voided_by';

export function openChunkWriter(db: Sqlite): ChunkWriter {
  const read = db.prepare(`SELECT ${COLUMNS} FROM events WHERE row_id >= ? AND row_id < ? ORDER BY row_id`).raw();
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
  /** Events without a gap up to the youngest one, as many as are known. */
  let young: Row[] = [];
  const rowsOfNext = (): Row[] => {
    const first = young[0]?.[0] ?? Number.POSITIVE_INFINITY;
    // There is no row 0.
    if (first > Math.max(next, 1)) return read.all(next, next + CHUNK_ROWS) as Row[];
    return young.slice(Math.max(next, 1) - first, next + CHUNK_ROWS - first);
  };

  return {
    add(rowId, subject, type, timeMs) {
      // After a long backlog they are read back.
      if (young.length >= MAX_YOUNG) young = [];
      young.push([rowId, subject, type, timeMs, null]);
    },
    sealSome(lastRow) {
      if (lastRow + 1 < next + CHUNK_ROWS) return false;
      const rows = rowsOfNext();
      const chunk = next / CHUNK_ROWS;
      // A chunk whose rows are all gone has no time: no range overlaps it.
      let [minMs, maxMs] = [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER];
      const offsets = new Map<number, number[]>();
      for (const [rowId, subject, , timeMs] of rows) {
        if (timeMs < minMs) minMs = timeMs;
        if (timeMs > maxMs) maxMs = timeMs;
        const known = offsets.get(subject);
        if (known === undefined) offsets.set(subject, [rowId - next]);
        else known.push(rowId - next);
      }
      insertChunk.run(chunk, minMs, maxMs);
      for (const [subject, list] of [...offsets].sort(([a], [b]) => a - b)) {
        insertRows.run(chunk, subject, new Uint8Array(Uint16Array.from(list).buffer));
      }
      for (const { day, subject, type, events, voided, lastMs } of daysOf(rows)) {
        addDay.run(day, subject, type, events, voided, lastMs);
      }
      next += CHUNK_ROWS;
      young = young.slice(Math.max(0, next - (young[0]?.[0] ?? next)));
      return true;
    },
    changed({ rowId, type, subject, timeMs }, isVoid) {
      // Rows that are not sealed yet are counted with what they are by then.
      const row = young[rowId - (young[0]?.[0] ?? 0)];
      if (row !== undefined) row[4] = isVoid ? rowId : null;
      if (rowId < next) changeDay.run(isVoid ? 1 : -1, Math.floor(timeMs / DAY_MS), subject, type);
    },
    reload() {
      young = [];
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
function daysOf(rows: Iterable<Row>): SubjectDay[] {
  const days = new Map<string, SubjectDay>();
  const latest = new Map<number, SubjectDay>();
  for (const [, subject, type, timeMs, voidedBy] of rows) {
    const day = Math.floor(timeMs / DAY_MS);
    // Nearly always the one of the subject's event before.
    let entry = latest.get(subject);
    if (entry === undefined || entry.day !== day || entry.type !== type) {
      const key = `${day} ${subject} ${type}`;
      entry = days.get(key) ?? { day, subject, type, events: 0, voided: 0, lastMs: timeMs };
      days.set(key, entry);
      latest.set(subject, entry);
    }
    entry.events++;
    if (voidedBy !== null) entry.voided++;
    if (timeMs > entry.lastMs) entry.lastMs = timeMs;
  }
  return [...days.values()].sort((a, b) => a.day - b.day || a.subject - b.subject || a.type - b.type);
}

/** The days of the rows that no chunk covers yet: at most some tens of thousands. */
export function unsealedDays(db: Sqlite): SubjectDay[] {
  const rows = db.prepare(`SELECT ${COLUMNS} FROM events WHERE row_id >= ?`).raw().all(firstUnsealedRow(db));
  return daysOf(rows as Row[]);
}
