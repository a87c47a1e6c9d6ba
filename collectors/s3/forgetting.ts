import type { Cursor, CursorChange } from '../core/source.ts';
import type { ListedPage } from './bucket.ts';
import { changeTo, STATES, stateIn } from './object-states.ts';

const PAGE = 1000;

/**
 * Follows the pages of one listing, and says what is to be forgotten of what they do not have: so that a bucket whose objects
 * are deleted in time costs no more than the objects that are there. A listing that leaves out an object once must not make
 * it be read anew, so an object has to be gone for a while. In a listing that is in no order (directory buckets), nothing is
 * gone for certain.
 */
export function createForgetting(cursor: Cursor, prefix: string, afterMs: number) {
  let last = '';
  let isOrdered = true;
  return function* passed({ objects, isLast }: ListedPage, nowMs: number): Generator<readonly CursorChange[]> {
    const keys = objects.map(({ key }) => key);
    isOrdered &&= keys.every((key, index) => isBefore(keys[index - 1] ?? last, key));
    if (!isOrdered) return;
    const listed = new Set(keys);
    const end = isLast ? undefined : keys.at(-1);
    for (const entries of piecesOf(cursor, prefix, last)) {
      const within = entries.filter(({ key }) => end === undefined || !isBefore(end, key.slice(STATES.length)));
      const changes = within.flatMap(({ key, value }) =>
        changeOf(key.slice(STATES.length), value, listed, nowMs, afterMs),
      );
      if (changes.length > 0) yield changes;
      if (within.length < entries.length) break;
    }
    last = keys.at(-1) ?? last;
  };
}

function changeOf(
  key: string,
  value: string,
  listed: ReadonlySet<string>,
  nowMs: number,
  afterMs: number,
): CursorChange[] {
  const state = stateIn(value);
  if (listed.has(key)) return state.goneAtMs === undefined ? [] : [changeTo(key, { ...state, goneAtMs: undefined })];
  if (state.goneAtMs === undefined) return [changeTo(key, { ...state, goneAtMs: nowMs })];
  return nowMs - state.goneAtMs < afterMs ? [] : [{ key: STATES + key, value: undefined }];
}

/** Objects below other prefixes than these, which are not listed any more; a piece at a time. */
export function* outside(
  cursor: Cursor,
  prefixes: readonly string[],
): Generator<{ readonly changes: readonly CursorChange[]; readonly unfinished: readonly string[] }> {
  for (const entries of piecesOf(cursor, '', '')) {
    const others = entries.filter(({ key }) => !isBelow(prefixes, key.slice(STATES.length)));
    if (others.length === 0) continue;
    const unfinished = others.filter(({ value }) => !stateIn(value).isDone).map(({ key }) => key.slice(STATES.length));
    yield { changes: others.map(({ key }) => ({ key, value: undefined })), unfinished };
  }
}

export function isBelow(prefixes: readonly string[], key: string): boolean {
  return prefixes.some((prefix) => key.startsWith(prefix));
}

/** States behind a key, in the order of the keys. What is changed of a piece does not disturb the next one. */
function* piecesOf(cursor: Cursor, prefix: string, behind: string) {
  let after = behind === '' ? '' : STATES + behind;
  for (;;) {
    const entries = cursor.list(STATES + prefix, after, PAGE);
    const end = entries.at(-1);
    if (end === undefined) return;
    yield entries;
    after = end.key;
  }
}

/** By the bytes of UTF-8, as stores list and as the cursor is kept; JavaScript's own order is another one. */
function isBefore(a: string, b: string): boolean {
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
}
