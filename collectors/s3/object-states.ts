import type { Cursor, CursorChange } from '../core/source.ts';
import type { Listed } from './bucket.ts';

/** How far an object has been read; by its key, in the cursor, since order and age say nothing: keys come late. */
export interface ObjectState {
  readonly etag: string;
  /** Rows that are taken. */
  readonly rows: number;
  readonly isDone: boolean;
}

const PREFIX = 'o/';
const PAGE = 1000;

function stateOf(cursor: Cursor, key: string): ObjectState | undefined {
  const text = cursor.get(PREFIX + key);
  if (text === undefined) return undefined;
  const [etag, rows, isDone] = JSON.parse(text) as [string, number, boolean];
  return { etag, rows, isDone };
}

export function changeTo(key: string, { etag, rows, isDone }: ObjectState): CursorChange {
  return { key: PREFIX + key, value: JSON.stringify([etag, rows, isDone]) };
}

/** Objects below other prefixes, which are not listed any more; a page at a time. */
export function* forgettable(cursor: Cursor, prefixes: readonly string[]): Generator<readonly CursorChange[]> {
  let after = '';
  for (;;) {
    const entries = cursor.list(PREFIX, after, PAGE);
    const last = entries.at(-1);
    if (last === undefined) return;
    after = last.key;
    const others = entries.filter(({ key }) => !prefixes.some((prefix) => key.startsWith(PREFIX + prefix)));
    if (others.length > 0) yield others.map(({ key }) => ({ key, value: undefined }));
  }
}

/** What becomes of a listed object: read on from a row, or nothing. */
export function rowToReadFrom(
  { key, etag, size }: Listed,
  cursor: Cursor,
  onOverwrite: 'reread' | 'refuse',
): number | 'nothing' | 'overwritten' {
  // Folders that a console has made, and what is still empty.
  if (key.endsWith('/') || size === 0) return 'nothing';
  const state = stateOf(cursor, key);
  if (state === undefined) return 0;
  if (state.etag === etag) return state.isDone ? 'nothing' : state.rows;
  return onOverwrite === 'reread' ? 0 : 'overwritten';
}
