import { hash } from 'node:crypto';
import type { Figure } from '../aggregations/figure.ts';
import { AGGREGATIONS } from '../aggregations/index.ts';
import { parseData } from '../event-data.ts';
import type { NewEvent } from '../types.ts';
import { numberArray, type PgClient, textArray } from './database.ts';
import type { Series, SeriesSet } from './series.ts';
import type { Tuples } from './tuples.ts';
import { giveWay } from './turns.ts';

/** What events add to one series, one entry an event, in columns. */
export interface Contributions {
  series: Series;
  /** The places of the events in their list. */
  places: number[];
  timeMs: number[];
  subject: number[];
  dims: number[];
  figures: (Figure | null)[];
  values: string[];
}

/** The events of a transaction that were stored, and their rows. */
export interface AddedEvents {
  places: readonly number[];
  rowIds: readonly number[];
}

export type Combinations = Map<Series, (readonly string[])[]>;

export function emptyContributions(series: Series): Contributions {
  return { series, places: [], timeMs: [], subject: [], dims: [], figures: [], values: [] };
}

/** Adds an event but for its combination of dimensions, which is returned. */
export function addTo(
  into: Contributions,
  place: number,
  event: { timeMs: number; subject: number; data: unknown },
): readonly string[] {
  const { spec, reading } = into.series;
  const { takes } = AGGREGATIONS[spec.aggregation].reading;
  into.places.push(place);
  into.timeMs.push(event.timeMs);
  into.subject.push(event.subject);
  if (takes === 'number') into.figures.push(reading.figure(event.data));
  if (takes === 'text') into.values.push(storableValue(reading.value(event.data)));
  return reading.dimensions.map((read) => read(event.data));
}

/** PostgreSQL's texts have no NUL. */
export function storableValue(value: string): string {
  return value.includes('\0') ? `#${hash('sha256', Buffer.from(value, 'utf16le'), 'base64url')}` : value;
}

/** What the events add to the series of their types, should they be stored. */
export async function prepareContributions(
  { byType }: SeriesSet,
  tuples: Tuples,
  events: readonly NewEvent[],
  ids: ReadonlyMap<string, number>,
): Promise<Contributions[]> {
  const found = new Map<Series, Contributions>();
  const combinations: Combinations = new Map();
  for (const [place, event] of events.entries()) {
    const wanted = byType.get(event.type);
    if (wanted === undefined) continue;
    const data = parseData(event.data);
    for (const series of wanted) {
      const into = found.get(series) ?? emptyContributions(series);
      found.set(series, into);
      const texts = addTo(into, place, { timeMs: event.timeMs, subject: ids.get(event.subject) as number, data });
      const own = combinations.get(series) ?? [];
      combinations.set(series, own);
      own.push(texts);
    }
    await giveWay();
  }
  for (const [series, into] of found) into.dims = await tuples.idsOf(series.series, combinations.get(series) ?? []);
  return [...found.values()];
}

/** One row a series, of the events that were stored. */
export async function insertDeltas(
  client: PgClient,
  all: readonly Contributions[],
  { places, rowIds }: AddedEvents,
): Promise<void> {
  const rows = new Map(places.map((place, index) => [place, rowIds[index] as number]));
  for (const contributions of all) {
    const kept = [...contributions.places.keys()].filter((index) => rows.has(contributions.places[index] as number));
    if (kept.length === 0) continue;
    await insertDelta(client, contributions, kept, (place) => rows.get(place) as number);
    await giveWay();
  }
}

/** @param kept which entries */
export async function insertDelta(
  client: PgClient,
  { series, places, timeMs, subject, dims, figures, values }: Contributions,
  kept: readonly number[],
  rowOfPlace: (place: number) => number,
): Promise<void> {
  const { keeping, reading } = AGGREGATIONS[series.spec.aggregation];
  const pick = <T>(column: readonly T[]): T[] => kept.map((index) => column[index] as T);
  const times = pick(timeMs);
  let [firstMs, lastMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const atMs of times) {
    if (atMs < firstMs) firstMs = atMs;
    if (atMs > lastMs) lastMs = atMs;
  }
  await client.query({
    name: 'insert-delta',
    text: `INSERT INTO rollup_deltas (series, events, first_ms, last_ms, time_ms, subject, dims, figures, vals, row_ids)
      VALUES ($1, $2, $3, $4, $5::bigint[], $6::bigint[], $7::bigint[], $8::numeric[], $9::text[], $10::bigint[])`,
    values: [
      series.series,
      kept.length,
      firstMs,
      lastMs,
      numberArray(times),
      numberArray(pick(subject)),
      numberArray(pick(dims)),
      reading.takes === 'number' ? numberArray(pick(figures)) : null,
      reading.takes === 'text' ? textArray(pick(values)) : null,
      keeping === 'latest' ? numberArray(pick(places).map(rowOfPlace)) : null,
    ],
  });
}
