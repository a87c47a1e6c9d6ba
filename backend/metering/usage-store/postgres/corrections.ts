import type { Clock } from '../../../platform/clock.ts';
import type {
  Correction,
  CorrectionAction,
  CorrectionPreview,
  CorrectionRequest,
  EventSelection,
} from '../correction-types.ts';
import { bucketOf } from '../series/levels.ts';
import { type CorrectionRow, toCorrection } from '../stored-rows.ts';
import type { EventPosition, StoredEvent } from '../types.ts';
import { type Database, LOCK_SPACE, LOCKS, numberArray, type PgClient, underLock } from './database.ts';
import type { EventRowsQuery } from './event-conditions.ts';
import { countEvents, listEvents, readEvents, selectPositions } from './event-list.ts';
import { currentSnapshot, storedBy } from './moment.ts';
import type { Names } from './names.ts';

interface WorkRow extends CorrectionRow {
  correction: number;
  selection: string;
  moment: string;
  position: string | null;
}

interface Deps {
  db: Database;
  names: Names;
  clock: Clock;
  /** Events of a slice. */
  sliceEvents: number;
}

/** Events of a selection that are in the other state, by time: so a slice goes on where the one before ended. */
async function rowsQuery(
  client: PgClient,
  action: CorrectionAction,
  { filters, subjects, voidedBy }: EventSelection,
  size: number,
): Promise<EventRowsQuery> {
  const { rows } = await client.query<{ from_ms: number | null }>('SELECT complete_from_ms AS from_ms FROM store');
  return {
    filters,
    ...(subjects !== undefined && { subjects }),
    voidedBy,
    // Of a quarter of an hour that is not complete, the figures could not be computed anew.
    minTimeMs: rows[0]?.from_ms ?? undefined,
    state: action === 'void' ? 'counting' : 'void',
    sort: { field: 'time', direction: 'asc' },
    size,
  };
}

export async function previewCorrection(
  client: PgClient,
  names: Names,
  action: CorrectionAction,
  selection: EventSelection,
  sampleSize: number,
): Promise<CorrectionPreview> {
  const query = await rowsQuery(client, action, selection, sampleSize);
  return { events: await countEvents(client, names, query), sample: await listEvents(client, names, query) };
}

/** Begins a correction with its first slice. @returns whether slices are left */
export async function beginCorrection(deps: Deps, request: CorrectionRequest): Promise<boolean> {
  const { id, action, reason, madeBy, note, selection } = request;
  return underLock(deps.db, LOCKS.upkeep, 'REPEATABLE READ', async (client) => {
    const query = await rowsQuery(client, action, selection, deps.sliceEvents);
    const positions = await selectPositions(client, deps.names, query);
    const isAll = positions.length < deps.sliceEvents;
    const expected = isAll ? positions.length : await countEvents(client, deps.names, query);
    const { rows } = await client.query<WorkRow>(
      `INSERT INTO corrections (id, action, reason, made_by, made_at_ms, note, selection, moment, events, expected)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9) RETURNING *`,
      [
        id,
        action,
        reason,
        madeBy,
        deps.clock.nowMs(),
        note,
        JSON.stringify(selection),
        await currentSnapshot(client),
        expected,
      ],
    );
    return applySlice(client, deps, rows[0] as WorkRow, positions);
  });
}

/** The next slice of a correction that has some left, the one that waits longest first. @returns whether there was one */
export async function continueCorrection(deps: Deps): Promise<boolean> {
  return underLock(deps.db, LOCKS.upkeep, 'REPEATABLE READ', async (client) => {
    const { rows } = await client.query<WorkRow>(
      'SELECT * FROM corrections WHERE finished_at_ms IS NULL ORDER BY correction LIMIT 1',
    );
    const [row] = rows;
    if (row === undefined) return false;
    const query = await rowsQuery(client, row.action, JSON.parse(row.selection) as EventSelection, deps.sliceEvents);
    const positions = await selectPositions(client, deps.names, {
      ...query,
      known: storedBy(row.moment).known,
      ...(row.position !== null && { after: JSON.parse(row.position) as EventPosition }),
    });
    await applySlice(client, deps, row, positions);
    return true;
  });
}

const DAY_MS = 86_400_000;

/** Changes events with everything that counts them. @returns whether slices are left */
async function applySlice(
  client: PgClient,
  { clock, sliceEvents }: Deps,
  { correction, action }: WorkRow,
  positions: readonly EventPosition[],
): Promise<boolean> {
  const nowMs = clock.nowMs();
  // Nobody changes meanwhile which series there are: each one's figures are marked.
  await client.query('SELECT pg_advisory_xact_lock_shared($1, $2)', [LOCK_SPACE, LOCKS.series]);
  await client.query('SELECT pg_current_xact_id()');
  const isVoid = action === 'void';
  const changed = await changeEvents(client, isVoid ? correction : null, positions);
  if (changed.length > 0) {
    await logChanges(client, correction, changed, nowMs);
    await client.query(
      `INSERT INTO rollup_dirty (series, quarter, subject)
       SELECT DISTINCT series, u.quarter, u.subject
       FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS u (type, quarter, subject)
       JOIN rollup_series ON event_type = u.type AND NOT dropped`,
      [
        numberArray(changed.map(({ type }) => type)),
        numberArray(changed.map(({ time_ms }) => bucketOf('quarter', time_ms))),
        numberArray(changed.map(({ subject }) => subject)),
      ],
    );
    await client.query(
      `INSERT INTO batches SELECT nextval('batch_numbers'), 0, 0, $1, $2::bigint[], $3::bigint[], $4::bigint[],
         $5::bigint[], $6::bigint[], $7::bigint[], '{}', '{}'`,
      [
        nowMs,
        numberArray(changed.map(({ time_ms }) => Math.floor(time_ms / DAY_MS))),
        numberArray(changed.map(({ subject }) => subject)),
        numberArray(changed.map(({ type }) => type)),
        numberArray(changed.map(() => 0)),
        numberArray(changed.map(() => (isVoid ? 1 : -1))),
        numberArray(changed.map(({ time_ms }) => time_ms)),
      ],
    );
  }
  const last = positions.length < sliceEvents ? undefined : positions.at(-1);
  await client.query(
    'UPDATE corrections SET events = events + $2, position = $3, finished_at_ms = $4 WHERE correction = $1',
    [correction, changed.length, last === undefined ? null : JSON.stringify(last), last === undefined ? nowMs : null],
  );
  return last !== undefined;
}

interface ChangedRow {
  row_id: number;
  type: number;
  subject: number;
  time_ms: number;
}

/** Another correction may have been faster: only events in the other state change. */
async function changeEvents(
  client: PgClient,
  voidedBy: number | null,
  positions: readonly EventPosition[],
): Promise<ChangedRow[]> {
  if (positions.length === 0) return [];
  const { rows } = await client.query<ChangedRow>(
    `UPDATE events AS e SET voided_by = $1::bigint FROM unnest($2::bigint[], $3::bigint[]) AS u (row_id, time_ms)
     WHERE e.row_id = u.row_id AND e.time_ms = u.time_ms AND (e.voided_by IS NULL) = ($1::bigint IS NOT NULL)
     RETURNING e.row_id, e.type, e.subject, e.time_ms`,
    [voidedBy, numberArray(positions.map(({ rowId }) => rowId)), numberArray(positions.map(({ atMs }) => atMs))],
  );
  return rows;
}

/** A clock may step back; the changes keep their instants in order all the same. */
async function logChanges(
  client: PgClient,
  correction: number,
  changed: readonly ChangedRow[],
  nowMs: number,
): Promise<void> {
  await client.query(
    `INSERT INTO event_changes
     SELECT last.change + u.place, $1, u.row_id, u.time_ms, greatest($4, last.at_ms)
     FROM unnest($2::bigint[], $3::bigint[]) WITH ORDINALITY AS u (row_id, time_ms, place),
       (SELECT coalesce(max(change), 0) AS change, coalesce(max(at_ms), 0) AS at_ms FROM
         (SELECT change, at_ms FROM event_changes ORDER BY change DESC LIMIT 1) AS l) AS last`,
    [
      correction,
      numberArray(changed.map(({ row_id }) => row_id)),
      numberArray(changed.map(({ time_ms }) => time_ms)),
      nowMs,
    ],
  );
}

export async function findCorrection(client: PgClient, id: string): Promise<Correction | undefined> {
  const { rows } = await client.query<WorkRow>('SELECT * FROM corrections WHERE id = $1', [id]);
  return rows[0] && toCorrection(rows[0]);
}

/** Newest first. */
export async function listCorrections(
  client: PgClient,
  page: { offset: number; limit: number },
): Promise<{ corrections: Correction[]; total: number }> {
  const { rows } = await client.query<WorkRow>(
    'SELECT * FROM corrections ORDER BY correction DESC LIMIT $1 OFFSET $2',
    [page.limit, page.offset],
  );
  const total = await client.query<{ total: number }>('SELECT count(*) AS total FROM corrections');
  return { corrections: rows.map(toCorrection), total: total.rows[0]?.total ?? 0 };
}

/** The events that a correction has changed, in the order of storing. */
export async function correctedEvents(
  client: PgClient,
  names: Names,
  id: string,
  page: { size: number; after?: number | undefined },
): Promise<StoredEvent[]> {
  const { rows } = await client.query<EventPosition>(
    `SELECT row_id AS "rowId", time_ms AS "atMs" FROM event_changes
     WHERE correction = (SELECT correction FROM corrections WHERE id = $1) AND row_id > $2 ORDER BY row_id LIMIT $3`,
    [id, page.after ?? 0, page.size],
  );
  return readEvents(client, names, rows);
}
