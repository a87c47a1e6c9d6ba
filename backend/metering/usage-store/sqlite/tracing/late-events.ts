import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import { contributionReader, timeBounds } from '../../tracing/contribution.ts';
import type { LateEvent, UsageMoment, UsageScope } from '../../tracing-types.ts';
import type { StoredEvent } from '../../types.ts';
import { readEvents } from '../event-list.ts';
import { CHUNK_ROWS, firstUnsealedRow } from '../seen/chunks.ts';
import { chunksBetween } from '../seen/subject-rows.ts';
import { untilCancelled } from '../usage-query.ts';
import { rareRowsOf } from './events-behind.ts';
import { type Moment, toMoment, voidAt } from './moment.ts';
import { scopeConditions, TRACED_COLUMNS, type TracedRow } from './scope.ts';

type Found = Omit<LateEvent, 'event'> & { rowId: number };

/** One page of what has changed a figure since a moment: corrections of the events known then, then those stored later. */
export function lateEvents(
  db: Sqlite,
  scope: UsageScope,
  since: UsageMoment,
  page: { size: number; afterRow?: number | undefined },
  isCancelled: () => boolean,
): { events: LateEvent[]; nextRow: number | undefined } {
  const moment = toMoment(db, since);
  const afterRow = page.afterRow ?? 0;
  const found: Found[] = [];
  for (const late of untilCancelled(allLate(db, scope, moment, afterRow), isCancelled)) {
    if (late !== undefined && found.push(late) === page.size) break;
  }
  const rowIds = found.map(({ rowId }) => rowId);
  const stored = new Map(readEvents(db, rowIds).map((event) => [event.rowId, event]));
  return {
    events: found.map(({ rowId, ...late }) => ({ event: stored.get(rowId) as StoredEvent, ...late })),
    nextRow: found.length === page.size ? found.at(-1)?.rowId : undefined,
  };
}

/** In the order of rows; undefined for rows that were looked at and are none, so that a cancelled search ends. */
function* allLate(db: Sqlite, scope: UsageScope, moment: Moment, afterRow: number): Generator<Found | undefined> {
  const read = contributionReader(scope);
  yield* corrected(db, scope, moment, afterRow, read);
  for (const [rowId, , data, voidedBy, storedAtMs] of storedAfter(db, scope, Math.max(moment.row, afterRow))) {
    const contribution = voidedBy === null ? read(data) : undefined;
    yield contribution && { rowId, ...contribution, change: 'stored', changedAtMs: storedAtMs };
  }
}

/** Events that were known at the moment and are in another state now. */
function* corrected(
  db: Sqlite,
  scope: UsageScope,
  moment: Moment,
  afterRow: number,
  read: ReturnType<typeof contributionReader>,
): Generator<Found | undefined> {
  const rare = rareRowsOf(db, scope, afterRow);
  const wanted = rare && new Set(rare);
  const wasVoid = voidAt(db, moment);
  const changes = db
    .prepare(
      `SELECT row_id, max(change) FROM event_changes INDEXED BY event_changes_by_row
       WHERE row_id > ? AND row_id <= ? AND change > ? GROUP BY row_id`,
    )
    .raw();
  const { text, params } = scopeConditions(scope);
  const event = db.prepare(`SELECT ${TRACED_COLUMNS} FROM events WHERE row_id = ? AND ${text}`).raw();
  const changedAt = db.prepare('SELECT at_ms FROM event_changes WHERE change = ?').pluck();
  const rows = changes.iterate(afterRow, moment.row, moment.change) as IterableIterator<[number, number]>;
  for (const [rowId, change] of rows) {
    const row = wanted === undefined || wanted.has(rowId) ? event.get(rowId, ...params) : undefined;
    const [, , data = null, voidedBy = null] = (row ?? []) as Partial<TracedRow>;
    const isVoid = voidedBy !== null;
    const isOther = row !== undefined && wasVoid(rowId, isVoid) !== isVoid;
    const contribution = isOther ? read(data) : undefined;
    yield contribution && {
      rowId,
      ...contribution,
      change: isVoid ? 'voided' : 'restored',
      changedAtMs: changedAt.get(change) as number,
    };
  }
}

function* storedAfter(db: Sqlite, scope: UsageScope, afterRow: number): Generator<TracedRow> {
  const { text, params } = scopeConditions(scope);
  const rare = rareRowsOf(db, scope, afterRow);
  if (rare !== undefined) {
    const rows = db.prepare(
      `SELECT ${TRACED_COLUMNS} FROM events NOT INDEXED
       WHERE row_id IN (SELECT value FROM json_each(?)) AND ${text} ORDER BY row_id`,
    );
    yield* rows.raw().iterate(JSON.stringify(rare), ...params) as IterableIterator<TracedRow>;
    return;
  }
  const range = db
    .prepare(
      `SELECT ${TRACED_COLUMNS} FROM events NOT INDEXED WHERE row_id >= ? AND row_id < ? AND ${text} ORDER BY row_id`,
    )
    .raw();
  const { fromMs, toMs } = timeBounds(scope);
  // What came in time for later periods is passed over a chunk at a time.
  for (const chunk of chunksBetween(db, fromMs, toMs - 1, afterRow)) {
    const first = Math.max(chunk * CHUNK_ROWS, afterRow + 1);
    yield* range.iterate(first, (chunk + 1) * CHUNK_ROWS, ...params) as IterableIterator<TracedRow>;
  }
  const young = Math.max(firstUnsealedRow(db), afterRow + 1);
  yield* range.iterate(young, Number.MAX_SAFE_INTEGER, ...params) as IterableIterator<TracedRow>;
}
