import type { UsageQuery } from '../types.ts';
import { numberArray, type PgClient, readInParts } from './database.ts';
import { hashTexts } from './identity.ts';

/** An event as the computing of figures reads it. */
export type EventRow = [rowId: number, subject: number, timeMs: number, data: string | null];

interface EventRange {
  eventType: string;
  /** Inclusive; undefined: from the first. */
  fromMs?: number | undefined;
  /** Exclusive; undefined: to the last. */
  toMs?: number | undefined;
  /** name_ids; undefined: all. */
  subjects?: readonly number[] | undefined;
  /** In the order of storing; otherwise in any. */
  isOrdered?: boolean;
}

/** The events of a type that count, part by part. */
export function readEventRows(
  client: PgClient,
  { eventType, fromMs, toMs, subjects, isOrdered = false }: EventRange,
): AsyncGenerator<EventRow[]> {
  const conditions = [
    'type = (SELECT name_id FROM names WHERE hash = $1::uuid)',
    'voided_by IS NULL',
    ...(fromMs === undefined ? [] : [`time_ms >= ${integer(fromMs)}`]),
    ...(toMs === undefined ? [] : [`time_ms < ${integer(toMs)}`]),
    ...(subjects === undefined ? [] : [`subject = ANY('${numberArray(subjects)}'::bigint[])`]),
  ];
  const text = `SELECT row_id, subject, time_ms, data FROM events WHERE ${conditions.join(' AND ')}`;
  return readInParts<EventRow>(client, isOrdered ? `${text} ORDER BY row_id` : text, [hashTexts(eventType)]);
}

/** Written into the statement, so that the planner sees which partitions are meant. */
export function integer(value: number): string {
  if (!Number.isSafeInteger(value)) throw new Error(`not an integer: ${value}`);
  return String(value);
}

/** The range of a query, cut to the meter's own begin. */
export function rangeOf({ meter, fromMs, toMs }: Pick<UsageQuery, 'meter' | 'fromMs' | 'toMs'>) {
  const from = Math.max(fromMs ?? Number.NEGATIVE_INFINITY, meter.eventsFromMs ?? Number.NEGATIVE_INFINITY);
  return { fromMs: Number.isFinite(from) ? from : undefined, toMs };
}
