import { MAX_PAGE_BYTES } from '../page-bytes.ts';
import { type EventRow, toStoredEvent } from '../stored-rows.ts';
import type { EventPosition, StoredEvent } from '../types.ts';
import { numberArray, type PgClient } from './database.ts';
import { type EventRowsQuery, orderOf, whereOf } from './event-conditions.ts';
import type { Names } from './names.ts';

/** A page of events by keyset. It ends with the event that makes its data reach the bound of a page. */
export async function listEvents(client: PgClient, names: Names, query: EventRowsQuery): Promise<StoredEvent[]> {
  const { text, params } = await whereOf(client, names, query);
  // The rows first, without reading their data: how many fit is known before any is in memory.
  const { rows } = await client.query<[number, number, number | null]>({
    text: `SELECT e.row_id, e.time_ms, octet_length(e.data) FROM events AS e WHERE ${text} ORDER BY ${orderOf(query)}
      LIMIT $${params.length + 1}`,
    values: [...params, query.size],
    rowMode: 'array',
  });
  let bytes = 0;
  const last = rows.findIndex(([, , dataBytes]) => {
    bytes += dataBytes ?? 0;
    return bytes >= MAX_PAGE_BYTES;
  });
  const page = (last === -1 ? rows : rows.slice(0, last + 1)).map(([rowId, atMs]) => ({ rowId, atMs }));
  return readEvents(client, names, page);
}

/** The positions of the next events instead of the events. */
export async function selectPositions(client: PgClient, names: Names, query: EventRowsQuery): Promise<EventPosition[]> {
  const { text, params } = await whereOf(client, names, query);
  const { rows } = await client.query<EventPosition>(
    `SELECT e.row_id AS "rowId", e.time_ms AS "atMs" FROM events AS e WHERE ${text} ORDER BY ${orderOf(query)}
     LIMIT $${params.length + 1}`,
    [...params, query.size],
  );
  return rows;
}

export async function countEvents(client: PgClient, names: Names, query: EventRowsQuery): Promise<number> {
  const { text, params } = await whereOf(client, names, query);
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*) AS count FROM events AS e WHERE ${text}`,
    params,
  );
  return rows[0]?.count ?? 0;
}

/** Names stand in it as numbers. */
type Row = Omit<EventRow, 'source' | 'type' | 'subject'> & { source: number; type: number; subject: number };

/** Events by their positions, in the same order; those that are not there any more are absent. */
export async function readEvents(
  client: PgClient,
  names: Names,
  positions: readonly EventPosition[],
): Promise<StoredEvent[]> {
  if (positions.length === 0) return [];
  let [firstMs, lastMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { atMs } of positions) {
    firstMs = Math.min(firstMs, atMs);
    lastMs = Math.max(lastMs, atMs);
  }
  const { rows } = await client.query<Row>(
    `SELECT e.row_id, e.source, e.id, e.type, e.subject, e.time_ms, e.data, e.ingested_at_ms, e.stored_at_ms,
       corrections.id AS correction_id, reason, made_by, made_at_ms
     FROM events AS e LEFT JOIN corrections ON correction = voided_by
     WHERE e.row_id = ANY($1::bigint[]) AND e.time_ms >= $2 AND e.time_ms <= $3`,
    [numberArray(positions.map(({ rowId }) => rowId)), firstMs, lastMs],
  );
  const texts = await names.textsOf(
    client,
    rows.flatMap((row) => [row.source, row.type, row.subject]),
  );
  const text = (id: number) => texts.get(id) as string;
  const byRow = new Map(
    rows.map((row) => {
      const names = { source: text(row.source), type: text(row.type), subject: text(row.subject) };
      return [row.row_id, toStoredEvent({ ...row, ...names })];
    }),
  );
  return positions.flatMap(({ rowId }) => byRow.get(rowId) ?? []);
}
