import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import { contributionReader, timeBounds } from '../../tracing/contribution.ts';
import type { CountedEvent, CountedEventPosition, UsageMoment, UsageScope } from '../../tracing-types.ts';
import type { StoredEvent } from '../../types.ts';
import { readEvents } from '../event-list.ts';
import { rowsOfSubjects } from '../seen/subject-rows.ts';
import { untilCancelled } from '../usage-query.ts';
import { toMoment, voidAt } from './moment.ts';
import { scopeConditions, TRACED_COLUMNS, type TracedRow } from './scope.ts';

/** More rows than this are faster found in the order of time. */
const MAX_GATHERED_ROWS = 20_000;

/** The rows of the subjects asked for, where they are few. */
export function rareRowsOf(db: Sqlite, scope: UsageScope, afterRow: number): number[] | undefined {
  const { subjects } = scope;
  if (subjects === undefined) return undefined;
  return rowsOfSubjects(db, { subjects, ...timeBounds(scope), afterRow, max: MAX_GATHERED_ROWS });
}

/** One page of the events that a figure is made of, by event time. */
export function eventsBehind(
  db: Sqlite,
  scope: UsageScope,
  page: { size: number; after?: CountedEventPosition | undefined },
  moment: UsageMoment | undefined,
  isCancelled: () => boolean,
): { events: CountedEvent[]; next: CountedEventPosition | undefined } {
  const read = contributionReader(scope);
  const at = moment && toMoment(db, moment);
  const wasVoid = at && voidAt(db, at);
  const found: { position: CountedEventPosition; value: string | undefined }[] = [];
  for (const row of untilCancelled(candidates(db, scope, page.after, at?.row), isCancelled)) {
    const [rowId, timeMs, data, voidedBy] = row;
    const isVoid = wasVoid === undefined ? voidedBy !== null : wasVoid(rowId, voidedBy !== null);
    const contribution = isVoid ? undefined : read(data);
    if (contribution === undefined) continue;
    found.push({ position: { atMs: timeMs, rowId }, value: contribution.value });
    if (found.length === page.size) break;
  }
  const stored = new Map(
    readEvents(
      db,
      found.map(({ position }) => position.rowId),
    ).map((event) => [event.rowId, event]),
  );
  return {
    events: found.map(({ position, value }) => ({ event: stored.get(position.rowId) as StoredEvent, value })),
    next: found.length === page.size ? found.at(-1)?.position : undefined,
  };
}

function candidates(
  db: Sqlite,
  scope: UsageScope,
  after: CountedEventPosition | undefined,
  maxRow: number | undefined,
): IterableIterator<TracedRow> {
  const { text, params } = scopeConditions(scope);
  const conditions = [text];
  const rows = rareRowsOf(db, scope, 0);
  if (rows !== undefined) {
    conditions.push('row_id IN (SELECT value FROM json_each(?))');
    params.push(JSON.stringify(rows));
  }
  if (maxRow !== undefined) {
    conditions.push('row_id <= ?');
    params.push(maxRow);
  }
  if (after !== undefined) {
    conditions.push('(time_ms, row_id) > (?, ?)');
    params.push(after.atMs, after.rowId);
  }
  const hint = rows === undefined ? 'INDEXED BY events_by_time' : 'NOT INDEXED';
  const sql = `SELECT ${TRACED_COLUMNS} FROM events ${hint} WHERE ${conditions.join(' AND ')} ORDER BY time_ms, row_id`;
  return db
    .prepare(sql)
    .raw()
    .iterate(...params) as IterableIterator<TracedRow>;
}
