import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import { CHUNK_ROWS, firstUnsealedRow } from './chunks.ts';

interface SubjectRowsQuery {
  /** Rows of chunks without an event in [fromMs, toMs] are left out; other rows may lie outside. */
  fromMs: number;
  toMs: number;
  /** Only rows above. */
  afterRow: number;
  /** More rows than this are no answer. */
  max: number;
}

/** The rows of some subjects, ascending, without looking at any other; undefined when they are too many. */
export function rowsOfSubjects(
  db: Sqlite,
  { subjects, ...query }: SubjectRowsQuery & { subjects: readonly string[] },
): number[] | undefined {
  const ids = db
    .prepare('SELECT name_id FROM names JOIN json_each(?) ON text = value')
    .pluck()
    .all(JSON.stringify(subjects)) as number[];
  return rowsOfSubjectIds(db, ids, query);
}

/** The same for name_ids. */
export function rowsOfSubjectIds(
  db: Sqlite,
  ids: readonly number[],
  { fromMs, toMs, afterRow, max }: SubjectRowsQuery,
): number[] | undefined {
  if (ids.length === 0) return [];
  const rows: number[] = [];
  const find = db.prepare('SELECT rows FROM chunk_subjects WHERE chunk = ? AND subject = ?').pluck();
  for (const chunk of chunksBetween(db, fromMs, toMs, afterRow)) {
    for (const id of ids) {
      const bytes = find.get(chunk, id) as Uint8Array | undefined;
      if (bytes === undefined) continue;
      for (const offset of new Uint16Array(bytes.slice().buffer)) {
        const row = chunk * CHUNK_ROWS + offset;
        if (row > afterRow) rows.push(row);
      }
    }
    if (rows.length > max) return undefined;
  }
  const young = db
    .prepare('SELECT row_id FROM events WHERE row_id >= ? AND subject IN (SELECT value FROM json_each(?))')
    .pluck()
    .all(Math.max(afterRow + 1, firstUnsealedRow(db)), JSON.stringify(ids)) as number[];
  rows.push(...young);
  return rows.length > max ? undefined : rows.sort((a, b) => a - b);
}

/** Sealed chunks with an event in [fromMs, toMs] and a row above the given one. */
export function chunksBetween(db: Sqlite, fromMs: number, toMs: number, afterRow: number): number[] {
  return db
    .prepare('SELECT chunk FROM row_chunks WHERE chunk >= ? AND max_ms >= ? AND min_ms <= ? ORDER BY chunk')
    .pluck()
    .all(Math.floor((afterRow + 1) / CHUNK_ROWS), bound(fromMs), bound(toMs)) as number[];
}

/** SQLite compares integers with infinities as it should, but the library has no way to say them in an integer column. */
function bound(atMs: number): number {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, atMs));
}
