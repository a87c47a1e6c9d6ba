import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import type { Correction, CorrectionAction, CorrectionPreview, EventSelection } from '../../correction-types.ts';
import { type CorrectionRow, toCorrection } from '../../stored-rows.ts';
import type { EventListQuery, EventPosition, StoredEvent } from '../../types.ts';
import type { EventRowsQuery } from '../event-conditions.ts';
import { countEvents, listEvents, readEvents, selectPositions } from '../event-list.ts';
import { completeFromMs } from '../retention/complete-from.ts';

/** A correction's events as a reader looks for them; exact ids have been looked up by the writer. */
export interface SelectionQuery {
  action: CorrectionAction;
  selection: EventSelection;
  rowIds: readonly number[] | undefined;
}

export interface SelectedSlice {
  positions: EventPosition[];
  /** The last event stored when the slice was read. */
  lastRow: number;
}

/** The next events of a correction. */
export function selectSlice(
  db: Sqlite,
  query: SelectionQuery,
  page: { size: number; after?: EventPosition | undefined; lastRow?: number | undefined },
): SelectedSlice {
  const newest = (db.prepare('SELECT max(row_id) FROM events').pluck().get() as number | null) ?? 0;
  const lastRow = page.lastRow ?? newest;
  const rowsQuery = { ...toRowsQuery(db, query, page.size), maxRow: lastRow };
  const positions = selectPositions(db, page.after === undefined ? rowsQuery : { ...rowsQuery, after: page.after });
  return { positions, lastRow };
}

export function previewCorrection(
  db: Sqlite,
  query: SelectionQuery,
  sampleSize: number,
  isCancelled: () => boolean,
): CorrectionPreview {
  const rowsQuery = toRowsQuery(db, query, sampleSize);
  return { events: countEvents(db, rowsQuery, isCancelled), sample: listEvents(db, rowsQuery, isCancelled) };
}

/** A slice goes on where the one before ended: by time where time bounds the search, else in the order of storing. */
function toRowsQuery(db: Sqlite, { action, selection, rowIds }: SelectionQuery, size: number): EventRowsQuery {
  const byTime = selection.filters.some(({ field }) => field === 'time');
  const sort: EventListQuery['sort'] = { field: byTime ? 'time' : 'stored_at', direction: 'asc' };
  const { filters, subjects, voidedBy } = selection;
  const state = action === 'void' ? 'counting' : 'void';
  // Of a quarter of an hour that is not complete, the figures could not be computed anew.
  const minTimeMs = completeFromMs(db);
  return { filters, minTimeMs, ...(subjects !== undefined && { subjects }), voidedBy, rowIds, state, sort, size };
}

export function listCorrections(
  db: Sqlite,
  page: { offset: number; limit: number },
): { corrections: Correction[]; total: number } {
  const rows = db.prepare('SELECT * FROM corrections ORDER BY correction DESC LIMIT ? OFFSET ?');
  return {
    corrections: (rows.all(page.limit, page.offset) as CorrectionRow[]).map(toCorrection),
    total: db.prepare('SELECT count(*) FROM corrections').pluck().get() as number,
  };
}

export function findCorrection(db: Sqlite, id: string): Correction | undefined {
  const row = db.prepare('SELECT * FROM corrections WHERE id = ?').get(id) as CorrectionRow | undefined;
  return row && toCorrection(row);
}

export function correctedEvents(
  db: Sqlite,
  id: string,
  page: { size: number; after?: number | undefined },
): StoredEvent[] {
  const rows = db
    .prepare(
      `SELECT row_id FROM event_changes WHERE correction = (SELECT correction FROM corrections WHERE id = ?) AND row_id > ?
       ORDER BY row_id LIMIT ?`,
    )
    .pluck()
    .all(id, page.after ?? 0, page.size);
  return readEvents(db, rows as number[]);
}

/** A correction that was begun and has slices left. */
export interface UnfinishedCorrection {
  id: string;
  query: Omit<SelectionQuery, 'rowIds'>;
  lastRow: number;
  position: EventPosition;
}

/** In the order of their making. */
export function unfinishedCorrections(db: Sqlite): UnfinishedCorrection[] {
  const rows = db.prepare('SELECT * FROM corrections WHERE finished_at_ms IS NULL ORDER BY correction').all();
  return (rows as (CorrectionRow & { selection: string; last_row: number; position: string })[]).map((row) => ({
    id: row.id,
    query: { action: row.action, selection: JSON.parse(row.selection) as EventSelection },
    lastRow: row.last_row,
    position: JSON.parse(row.position) as EventPosition,
  }));
}
