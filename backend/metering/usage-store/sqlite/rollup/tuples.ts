import { createByteCache } from '../../../../platform/byte-cache.ts';
import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import type { TupleTexts } from '../../series/tuple-texts.ts';
import { hashIdentity, hashNumber, type IdentityHash } from '../dedupe/identity-hash.ts';
import { type KeptValues, openKeptValues } from './kept-values.ts';

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
  const hashOf = tupleHash(db);
  hashOldOnes(db, hashOf);
  const find = db.prepare('SELECT tuple_id FROM rollup_tuples WHERE series = ? AND hash = ? AND texts = ?').pluck();
  const insert = db.prepare('INSERT INTO rollup_tuples (series, texts, is_open, hash) VALUES (?, ?, ?, ?)');
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
      const json = JSON.stringify(texts);
      const stored = find.get(series, hashOf(json), json) as number | undefined;
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
      const json = JSON.stringify(narrowed);
      const id = Number(insert.run(series, json, isOpen ? 1 : 0, hashOf(json)).lastInsertRowid);
      known.set(key, id);
      return id;
    };
    return {
      idOf,
      idOfStored: (texts) => (texts.length === 0 ? 0 : (lookUp(texts, keyOf(series, texts)) ?? idOf(texts))),
    };
  };
}

/** An index over the texts themselves would be as large as the table, and as slow as it is random. */
function tupleHash(db: Sqlite): (json: string) => number {
  const seed = db.prepare('SELECT hash_seed FROM store').pluck().get() as number;
  const hash: IdentityHash = { high: 0, low: 0 };
  return (json) => {
    hashIdentity('', json, seed, hash);
    return hashNumber(hash);
  };
}

/** Once, for what an older program has stored: at most what it could hold in memory. */
function hashOldOnes(db: Sqlite, hashOf: (json: string) => number): void {
  if (
    db
      .prepare(
        'SELECT 1 FROM rollup_tuples WHERE series IN (SELECT series FROM rollup_series) AND hash IS NULL LIMIT 1',
      )
      .get() === undefined
  )
    return;
  db.function('tuple_hash', { deterministic: true }, (json: unknown) => BigInt(hashOf(json as string)));
  db.exec('UPDATE rollup_tuples SET hash = tuple_hash(texts) WHERE hash IS NULL');
}

/** Different for different texts: each has its length before it. */
function keyOf(series: number, texts: TupleTexts): string {
  let key = `${series}`;
  for (const text of texts) key += text === null ? '|' : `|${text.length}:${text}`;
  return key;
}
