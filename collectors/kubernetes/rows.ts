import type { Cursor, CursorChange } from '../core/source.ts';
import type { Life } from './life.ts';

/**
 * What is known stands on disk, in the cursor, and is read piece by piece: a cluster of any size takes the memory of a page.
 * Each scope (a kind of object in a namespace, or in all) has its own rows.
 */
export interface Row {
  readonly life: Life;
  /** The list that saw it last. */
  readonly list: number;
  /** From when on it is to be counted, where that is not what holds for all: it was seen late. */
  readonly dueMs?: number;
}

/** How far a scope is. */
export interface Progress {
  /** To watch from; undefined = list first. */
  readonly version?: string;
  /** Up to when all is known. */
  readonly seenMs?: number;
  /** Up to when all slices are counted. */
  readonly closedMs?: number;
  /** Lists are numbered: what a list has not seen is gone. */
  readonly list: number;
}

export interface Rows {
  progress(): Progress;
  row(uid: string): Row | undefined;
  /** Counted to its end, and still in the API: the list that saw it last. */
  done(uid: string): number | undefined;
  page(after: string, most: number): readonly { readonly key: string; readonly uid: string; readonly row: Row }[];
  donePage(
    after: string,
    most: number,
  ): readonly { readonly key: string; readonly uid: string; readonly list: number }[];
  ofProgress(progress: Progress): CursorChange;
  ofRow(uid: string, row: Row | undefined): CursorChange;
  ofDone(uid: string, list: number | undefined): CursorChange;
}

export function createRows(cursor: Cursor, scope: string): Rows {
  const progressKey = `${scope} progress`;
  const rowPrefix = `${scope} object `;
  const donePrefix = `${scope} done `;
  const read = <T>(text: string | undefined) => (text === undefined ? undefined : (JSON.parse(text) as T));
  return {
    progress: () => read<Progress>(cursor.get(progressKey)) ?? { list: 0 },
    row: (uid) => read<Row>(cursor.get(rowPrefix + uid)),
    done: (uid) => read<number>(cursor.get(donePrefix + uid)),
    page: (after, most) =>
      cursor
        .list(rowPrefix, after, most)
        .map(({ key, value }) => ({ key, uid: key.slice(rowPrefix.length), row: JSON.parse(value) as Row })),
    donePage: (after, most) =>
      cursor
        .list(donePrefix, after, most)
        .map(({ key, value }) => ({ key, uid: key.slice(donePrefix.length), list: JSON.parse(value) as number })),
    ofProgress: (progress) => ({ key: progressKey, value: JSON.stringify(progress) }),
    ofRow: (uid, row) => ({ key: rowPrefix + uid, value: row && JSON.stringify(row) }),
    ofDone: (uid, list) => ({ key: donePrefix + uid, value: list === undefined ? undefined : JSON.stringify(list) }),
  };
}
