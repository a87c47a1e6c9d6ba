import { createByteCache } from '../../../platform/byte-cache.ts';
import type { TupleTexts } from '../series/tuple-texts.ts';
import { type Database, numberArray, type PgClient, textArray } from './database.ts';
import { hashTexts } from './identity.ts';
import { openKeptValues } from './kept-values.ts';

export interface TupleLimits {
  /** Values of a dimension that are kept apart. */
  maxDimensionValues: number;
  /** What is remembered of the combinations of all series together. */
  tupleCacheBytes: number;
}

/** Longer combinations are read again: the cache counts them as short. */
const MAX_REMEMBERED_LENGTH = 200;

/** Numbers for the combinations of dimension values, made on first use in transactions of their own, before they are used. */
export interface Tuples {
  /** @returns a number for each combination, in their order */
  idsOf(series: number, combinations: readonly (readonly string[])[]): Promise<number[]>;
  /** The same for stored events: by their own values where there is a number for them, so that no figure loses a value. */
  idsOfStored(series: number, combinations: readonly (readonly string[])[]): Promise<number[]>;
  textsOf(client: PgClient, ids: Iterable<number>): Promise<ReadonlyMap<number, TupleTexts>>;
}

/** @param today day (UTC) of what is being stored */
export function openTuples(db: Database, limits: TupleLimits, today: () => number): Tuples {
  const known = createByteCache<number>(limits.tupleCacheBytes);
  const texts = createByteCache<TupleTexts>(limits.tupleCacheBytes);
  const values = openKeptValues(db, limits.maxDimensionValues, today);
  let knownOn = today();

  const find = async (client: PgClient, series: number, jsons: readonly string[]): Promise<Map<string, number>> => {
    const { rows } = await client.query<{ tuple_id: number; texts: string }>(
      'SELECT tuple_id, texts FROM rollup_tuples WHERE series = $1 AND hash = ANY($2::uuid[])',
      [series, textArray(jsons.map((json) => hashTexts(json)))],
    );
    return new Map(rows.map((row) => [row.texts, row.tuple_id]));
  };
  const findOrMake = async (series: number, wanted: ReadonlyMap<string, TupleTexts>): Promise<Map<string, number>> =>
    db.withClient(async (client) => {
      const found = await find(client, series, [...wanted.keys()]);
      const missing = [...wanted].filter(([json]) => !found.has(json)).sort(([a], [b]) => (a < b ? -1 : 1));
      if (missing.length === 0) return found;
      await client.query(
        `INSERT INTO rollup_tuples (series, hash, texts, is_open)
         SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::boolean[]) ON CONFLICT DO NOTHING`,
        [
          series,
          textArray(missing.map(([json]) => hashTexts(json))),
          textArray(missing.map(([json]) => json)),
          numberArray(missing.map(([, parts]) => String(parts.includes(null)))),
        ],
      );
      const jsons = missing.map(([json]) => json);
      for (const [json, id] of await find(client, series, jsons)) found.set(json, id);
      return found;
    });
  const narrow = async (series: number, open: ReadonlyMap<string, readonly string[]>) => {
    const combinations = [...open.values()];
    const width = combinations[0]?.length ?? 0;
    const kept: ReadonlySet<string>[] = [];
    for (let index = 0; index < width; index++) {
      kept.push(await values.kept(series, index, new Set(combinations.map((parts) => parts[index] as string))));
    }
    return new Map(
      [...open].map(([key, parts]) => [
        key,
        parts.map((text, index) => ((kept[index] as ReadonlySet<string>).has(text) ? text : null)),
      ]),
    );
  };
  const idsOf: Tuples['idsOf'] = async (series, combinations) => {
    // Once a day each value is asked for, so that it is known to be in use.
    if (today() !== knownOn) {
      known.clear();
      knownOn = today();
    }
    const found = new Map<string, number>();
    const open = new Map<string, readonly string[]>();
    const keys = combinations.map((parts) => {
      if (parts.length === 0) return '';
      const key = `${series}${JSON.stringify(parts)}`;
      const id = found.get(key) ?? known.get(key);
      if (id === undefined) open.set(key, parts);
      else found.set(key, id);
      return key;
    });
    if (open.size > 0) {
      const narrowed = await narrow(series, open);
      const made = await findOrMake(
        series,
        new Map([...narrowed.values()].map((parts) => [JSON.stringify(parts), parts])),
      );
      for (const [key, parts] of narrowed) {
        const id = made.get(JSON.stringify(parts)) as number;
        found.set(key, id);
        // By its own values: what has no place today may get one tomorrow.
        if (!parts.includes(null)) known.set(key, id);
      }
    }
    return keys.map((key) => (key === '' ? 0 : (found.get(key) as number)));
  };
  const idsOfStored: Tuples['idsOfStored'] = async (series, combinations) => {
    const jsons = combinations.map((parts) => (parts.length === 0 ? '' : JSON.stringify(parts)));
    const wanted = [...new Set(jsons)].filter((json) => json !== '');
    const own =
      wanted.length === 0 ? new Map<string, number>() : await db.withClient((client) => find(client, series, wanted));
    const others = combinations.filter((_, index) => jsons[index] !== '' && !own.has(jsons[index] as string));
    const made = await idsOf(series, others);
    let next = 0;
    return jsons.map((json) => (json === '' ? 0 : (own.get(json) ?? (made[next++] as number))));
  };
  return {
    idsOf,
    idsOfStored,
    async textsOf(client, ids) {
      const found = new Map<number, TupleTexts>();
      const unknown: number[] = [];
      for (const id of new Set(ids)) {
        const remembered = id === 0 ? [] : texts.get(String(id));
        if (remembered === undefined) unknown.push(id);
        else found.set(id, remembered);
      }
      if (unknown.length === 0) return found;
      const { rows } = await client.query<{ tuple_id: number; texts: string }>(
        'SELECT tuple_id, texts FROM rollup_tuples WHERE tuple_id = ANY($1::bigint[])',
        [unknown],
      );
      for (const row of rows) {
        const parts = JSON.parse(row.texts) as TupleTexts;
        if (row.texts.length <= MAX_REMEMBERED_LENGTH) texts.set(String(row.tuple_id), parts);
        found.set(row.tuple_id, parts);
      }
      return found;
    },
  };
}
