import { invalidParameter } from '../../platform/errors.ts';
import type { Sort } from '../../platform/http/sorting.ts';
import type { EventPosition, EventSortField, StoredEvent } from '../usage-store/index.ts';

type EventSort = Sort<EventSortField>;

/** Where an event stands in a list: opaque to clients, valid for the same sorting only. */
export function encodeCursor(event: StoredEvent, sort: EventSort): string {
  const text = `${sort.field},${sort.direction},${sortValueMs(event, sort.field)},${event.rowId}`;
  return Buffer.from(text).toString('base64url');
}

/** @throws RequestProblem 400 for a cursor that this list did not give out */
export function decodeCursor(cursor: string, sort: EventSort): EventPosition {
  const text = Buffer.from(cursor, 'base64url').toString();
  const match = /^(\w+),(asc|desc),(-?\d{1,15}),(\d{1,15})$/.exec(text);
  if (match === null) throw refuse('is not a cursor of this list');
  const [, field, direction, atMs = '', rowId = ''] = match;
  if (field !== sort.field || direction !== sort.direction) throw refuse('belongs to a list with another sorting');
  return { atMs: Number.parseInt(atMs, 10), rowId: Number.parseInt(rowId, 10) };
}

function sortValueMs(event: StoredEvent, field: EventSortField): number {
  if (field === 'time') return event.timeMs;
  return field === 'ingested_at' ? event.ingestedAtMs : event.storedAtMs;
}

function refuse(reason: string) {
  return invalidParameter({ field: 'page[after]', rule: 'invalid', reason, source: 'query' });
}

/** Where an event stands in a list in the order of storing. */
export function encodeRowCursor(rowId: number): string {
  return Buffer.from(`row,${rowId}`).toString('base64url');
}

/** @throws RequestProblem 400 for a cursor that such a list did not give out */
export function decodeRowCursor(cursor: string): number {
  const match = /^row,(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (match === null) throw refuse('is not a cursor of this list');
  return Number.parseInt(match[1] ?? '', 10);
}
