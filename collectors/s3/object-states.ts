import type { Cursor, CursorChange } from '../core/source.ts';
import type { Listed } from './bucket.ts';

/** How far an object has been read; by its key, in the cursor, since order and age say nothing: keys come late. */
export interface ObjectState {
  readonly etag: string;
  /** Rows that are taken. */
  readonly rows: number;
  readonly isDone: boolean;
  /** Since when listings do not have it, milliseconds since 1970; undefined = they do. */
  readonly goneAtMs?: number | undefined;
}

export const STATES = 'o/';

export function stateIn(text: string): ObjectState {
  const [etag, rows, isDone, goneAtMs] = JSON.parse(text) as [string, number, boolean, number?];
  return { etag, rows, isDone, goneAtMs };
}

export function changeTo(key: string, { etag, rows, isDone, goneAtMs }: ObjectState): CursorChange {
  const value = goneAtMs === undefined ? [etag, rows, isDone] : [etag, rows, isDone, goneAtMs];
  return { key: STATES + key, value: JSON.stringify(value) };
}

/** What becomes of a listed object: read on from a row, or nothing. */
export function rowToReadFrom(
  { key, etag, size }: Listed,
  cursor: Cursor,
  onOverwrite: 'reread' | 'refuse',
): number | 'nothing' | 'overwritten' {
  // Folders that a console has made, and what is still empty.
  if (key.endsWith('/') || size === 0) return 'nothing';
  const text = cursor.get(STATES + key);
  if (text === undefined) return 0;
  const state = stateIn(text);
  if (state.etag === etag) return state.isDone ? 'nothing' : state.rows;
  return onOverwrite === 'reread' ? 0 : 'overwritten';
}
