import { createByteCache } from '../../../platform/byte-cache.ts';
import type { Sqlite } from '../../../platform/db/sqlite.ts';
import { type KeptValues, openKeptValues } from './kept-values.ts';

/** Values of a series' dimensions in the order of their names; null: a value that is not kept apart from others. */
export type TupleTexts = readonly (string | null)[];

/** Numbers for the combinations of dimension values of one series, made on first use. Belongs to the writer. */
export interface Tuples {
  /** To be called inside the transaction that uses the number. */
  idOf(texts: readonly string[]): number;
  /**
   * The same for an event that was stored before, and may be counted already: by its own values where there is a number
   * for them, so that a figure that is computed anew loses none.
   */
  idOfStored(texts: readonly string[]): number;
}

export interface TupleLimits {
  /** Values of a dimension that are kept apart; see kept-values.ts. */
  maxDimensionValues: number;
  /** What is remembered of the combinations of all series together. The others are looked up in the database. */
  tupleCacheBytes: number;
}

/** Opens the combinations of one series. */
export type OpenTuples = (series: number, dimensions: readonly string[]) => Tuples;

/**
 * The combinations of all series. None is read before it is needed, and what is remembered is bounded: a start costs the
 * same however many combinations have ever occurred.
 * @param today day (UTC) of what is being stored
 */
export function prepareTuples(db: Sqlite, limits: TupleLimits, today: () => number): OpenTuples {
  const find = db
    .prepare('SELECT tuple_id FROM rollup_tuples INDEXED BY rollup_tuples_by_texts WHERE series = ? AND texts = ?')
    .pluck();
  const insert = db.prepare('INSERT INTO rollup_tuples (series, texts, is_open) VALUES (?, ?, ?)');
  const known = createByteCache<number>(limits.tupleCacheBytes);
  let knownOn = today();

  return (series, dimensions) => {
    let values: readonly KeptValues[] | undefined;
    const keptValues = (): readonly KeptValues[] => {
      values ??= dimensions.map((name) => openKeptValues(db, { series, name, max: limits.maxDimensionValues, today }));
      return values;
    };
    const lookUp = (texts: TupleTexts, key: string): number | undefined => {
      const remembered = known.get(key);
      if (remembered !== undefined) return remembered;
      const stored = find.get(series, JSON.stringify(texts)) as number | undefined;
      if (stored !== undefined) known.set(key, stored);
      return stored;
    };
    const idOf = (texts: readonly string[]): number => {
      if (texts.length === 0) return 0;
      // Once a day each value is asked for, so that it is known to be in use.
      const now = today();
      if (now !== knownOn) {
        known.clear();
        knownOn = now;
      }
      const exactKey = keyOf(series, texts);
      const remembered = known.get(exactKey);
      if (remembered !== undefined) return remembered;
      const kept = keptValues();
      const narrowed = texts.map((text, index) => (kept[index]?.keeps(text) ? text : null));
      const isOpen = narrowed.includes(null);
      const key = isOpen ? keyOf(series, narrowed) : exactKey;
      const found = lookUp(narrowed, key);
      if (found !== undefined) return found;
      const id = Number(insert.run(series, JSON.stringify(narrowed), isOpen ? 1 : 0).lastInsertRowid);
      known.set(key, id);
      return id;
    };
    return {
      idOf,
      idOfStored: (texts) => (texts.length === 0 ? 0 : (lookUp(texts, keyOf(series, texts)) ?? idOf(texts))),
    };
  };
}

/** Different for different texts: each has its length before it. */
function keyOf(series: number, texts: TupleTexts): string {
  let key = `${series}`;
  for (const text of texts) key += text === null ? '|' : `|${text.length}:${text}`;
  return key;
}
