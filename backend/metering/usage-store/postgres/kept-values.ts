import { type Database, LOCK_SPACE, type PgClient, textArray } from './database.ts';
import { hashTexts } from './identity.ts';

/**
 * The values of each dimension that a series keeps apart: the first ones that come, up to a maximum; what comes when there is
 * no more room is counted together, which makes the dimension "wide". One that was not seen for a week gives up its place.
 * What each process remembers may be a little behind: then a value is counted together that had a place, and its figures are
 * read from the events.
 */
export interface KeptValues {
  /** Which values of a dimension have a place or get one. @param dimension its place in the series */
  kept(series: number, dimension: number, values: Iterable<string>): Promise<ReadonlySet<string>>;
}

const DAYS_UNTIL_GIVEN_UP = 7;

interface Known {
  /** By hash: the day (UTC) that it was last written down. */
  days: Map<string, number>;
  /** The last day that room was looked for in vain. */
  fullOn: number | undefined;
}

export function openKeptValues(db: Database, max: number, today: () => number): KeptValues {
  const known = new Map<string, Known>();
  return {
    async kept(series, dimension, values) {
      const day = today();
      const key = `${series} ${dimension}`;
      const memory = known.get(key) ?? { days: new Map(), fullOn: undefined };
      known.set(key, memory);
      const hashes = new Map<string, string>();
      for (const value of values) hashes.set(value, hashTexts(value));
      const isFull = memory.fullOn === day;
      const open = [...hashes.values()].filter((hash) => {
        const last = memory.days.get(hash);
        return last === undefined ? !isFull : last !== day;
      });
      if (open.length > 0) {
        await db.transaction('READ COMMITTED', (client) =>
          takePlaces(client, { series, dimension, max, day }, memory, [...new Set(open)].sort()),
        );
      }
      return new Set([...hashes].filter(([, hash]) => memory.days.has(hash)).map(([value]) => value));
    },
  };
}

interface Place {
  series: number;
  dimension: number;
  max: number;
  day: number;
}

/** One process after the other for each series: two would both take the last place. */
async function takePlaces(client: PgClient, place: Place, memory: Known, hashes: readonly string[]): Promise<void> {
  const { series, dimension, max, day } = place;
  await client.query('SELECT pg_advisory_xact_lock($1::integer, hashtext($2))', [LOCK_SPACE, `values of ${series}`]);
  const stored = await client.query<{ hash: string; day: number }>(
    'SELECT hash, day FROM rollup_values WHERE series = $1 AND dimension = $2',
    [series, dimension],
  );
  const days = new Map(stored.rows.map((row) => [row.hash, row.day]));
  const newcomers = hashes.filter((hash) => !days.has(hash));
  if (days.size + newcomers.length > max) {
    const before = day - DAYS_UNTIL_GIVEN_UP;
    await client.query('DELETE FROM rollup_values WHERE series = $1 AND dimension = $2 AND day < $3', [
      series,
      dimension,
      before,
    ]);
    for (const [hash, last] of days) if (last < before) days.delete(hash);
  }
  const taken = hashes.filter((hash) => !days.has(hash)).slice(0, Math.max(0, max - days.size));
  const isFull = hashes.some((hash) => !days.has(hash) && !taken.includes(hash));
  const seen = [...taken, ...hashes.filter((hash) => days.has(hash))].sort();
  await client.query(
    `INSERT INTO rollup_values SELECT $1, $2, hash, $4 FROM unnest($3::uuid[]) AS hash
     ON CONFLICT (series, dimension, hash) DO UPDATE SET day = greatest(rollup_values.day, excluded.day)`,
    [series, dimension, textArray(seen), day],
  );
  await setWide(client, series, dimension, isFull ? true : newcomers.length > 0 ? false : undefined);
  memory.days = new Map([...days, ...seen.map((hash): [string, number] => [hash, day])]);
  memory.fullOn = isFull ? day : undefined;
}

/** Which dimensions are wide now is written down, for people. @param isWide undefined: as before */
async function setWide(
  client: PgClient,
  series: number,
  dimension: number,
  isWide: boolean | undefined,
): Promise<void> {
  if (isWide === undefined) return;
  await client.query(
    isWide
      ? 'INSERT INTO rollup_wide VALUES ($1, $2) ON CONFLICT DO NOTHING'
      : 'DELETE FROM rollup_wide WHERE series = $1 AND dimension = $2',
    [series, dimension],
  );
}
