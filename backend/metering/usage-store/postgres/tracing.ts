import { contributionReader, timeBounds } from '../tracing/contribution.ts';
import type { CountedEvent, CountedEventPosition, LateEvent, UsageMoment, UsageScope } from '../tracing-types.ts';
import type { EventPosition, StoredEvent } from '../types.ts';
import { numberArray, type PgClient, readInParts } from './database.ts';
import { readEvents } from './event-list.ts';
import { integer } from './event-rows.ts';
import { hashTexts } from './identity.ts';
import { toMoment, wasVoidSql } from './moment.ts';
import type { Names } from './names.ts';
import { giveWay } from './turns.ts';

/** What SQL can judge of a scope: type, time and subject of an event `e`. */
async function scopeSql(client: PgClient, names: Names, scope: UsageScope): Promise<string> {
  const { fromMs, toMs } = timeBounds(scope);
  const parts = [
    `e.type = (SELECT name_id FROM names WHERE hash = '${hashTexts(scope.meter.eventType)}'::uuid)`,
    `e.time_ms >= ${integer(fromMs)} AND e.time_ms < ${integer(toMs)}`,
  ];
  if (scope.subjects !== undefined) {
    parts.push(`e.subject = ANY('${numberArray(await names.findIds(client, scope.subjects))}'::bigint[])`);
  }
  return parts.join(' AND ');
}

/** One page of the events that a figure is made of, by event time. */
export async function eventsBehind(
  client: PgClient,
  names: Names,
  scope: UsageScope,
  page: { size: number; after?: CountedEventPosition | undefined },
  moment: UsageMoment | undefined,
): Promise<{ events: CountedEvent[]; next: CountedEventPosition | undefined }> {
  const read = contributionReader(scope);
  const at = moment && (await toMoment(client, moment));
  const conditions = [
    await scopeSql(client, names, scope),
    at === undefined ? 'e.voided_by IS NULL' : `${at.known} AND NOT ${wasVoidSql(at.change)}`,
    ...(page.after === undefined
      ? []
      : [`(e.time_ms, e.row_id) > (${integer(page.after.atMs)}, ${integer(page.after.rowId)})`]),
  ];
  const text = `SELECT e.row_id, e.time_ms, e.data FROM events AS e WHERE ${conditions.join(' AND ')}
    ORDER BY e.time_ms, e.row_id`;
  const found: { position: CountedEventPosition; value: string | undefined }[] = [];
  search: for await (const part of readInParts<[number, number, string | null]>(client, text, [])) {
    for (const [rowId, atMs, data] of part) {
      const contribution = read(data);
      await giveWay();
      if (contribution === undefined) continue;
      found.push({ position: { atMs, rowId }, value: contribution.value });
      if (found.length === page.size) break search;
    }
  }
  const events = await readCounted(client, names, found);
  return { events, next: found.length === page.size ? found.at(-1)?.position : undefined };
}

async function readCounted<T>(
  client: PgClient,
  names: Names,
  found: readonly (T & { position: EventPosition })[],
): Promise<(Omit<T, 'position'> & { event: StoredEvent })[]> {
  const events = await readEvents(
    client,
    names,
    found.map(({ position }) => position),
  );
  const byRow = new Map(events.map((event) => [event.rowId, event]));
  return found.map(({ position, ...rest }) => ({ ...rest, event: byRow.get(position.rowId) as StoredEvent }));
}

type LateRow = [rowId: number, timeMs: number, data: string | null, change: LateEvent['change'], changedAtMs: number];

/**
 * One page of what has changed a figure since a moment, by row: events that were known then and are in another state now,
 * and those stored since.
 */
export async function lateEvents(
  client: PgClient,
  names: Names,
  scope: UsageScope,
  since: UsageMoment,
  page: { size: number; afterRow?: number | undefined },
): Promise<{ events: LateEvent[]; nextRow: number | undefined }> {
  const read = contributionReader(scope);
  const { known, later, change } = await toMoment(client, since);
  const inScope = `${await scopeSql(client, names, scope)} AND e.row_id > ${integer(page.afterRow ?? 0)}`;
  const text = `
    SELECT e.row_id, e.time_ms, e.data, CASE WHEN e.voided_by IS NULL THEN 'restored' ELSE 'voided' END, x.at_ms
    FROM (SELECT row_id, time_ms, max(change) AS change, max(at_ms) AS at_ms FROM event_changes
          WHERE change > ${change} GROUP BY row_id, time_ms) AS x
    JOIN events AS e ON e.row_id = x.row_id AND e.time_ms = x.time_ms
    WHERE ${inScope} AND ${known} AND ${wasVoidSql(change)} <> (e.voided_by IS NOT NULL)
    UNION ALL
    SELECT e.row_id, e.time_ms, e.data, 'stored', e.stored_at_ms FROM events AS e
    WHERE ${inScope} AND ${later} AND NOT ${known} AND e.voided_by IS NULL
    ORDER BY 1`;
  const found: (Omit<LateEvent, 'event'> & { position: EventPosition })[] = [];
  search: for await (const part of readInParts<LateRow>(client, text, [])) {
    for (const [rowId, atMs, data, kind, changedAtMs] of part) {
      const contribution = read(data);
      await giveWay();
      if (contribution === undefined) continue;
      found.push({ position: { atMs, rowId }, value: contribution.value, change: kind, changedAtMs });
      if (found.length === page.size) break search;
    }
  }
  return {
    events: await readCounted(client, names, found),
    nextRow: found.length === page.size ? found.at(-1)?.position.rowId : undefined,
  };
}
