import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import { AGGREGATIONS } from '../../aggregations/index.ts';
import { parseData } from '../../event-data.ts';
import { eventReading } from '../../series/event-reading.ts';
import { canonicalSpec, type SeriesSpec } from '../../series/series-spec.ts';
import type { MeterSpec } from '../../types.ts';
import type { Names } from '../names.ts';
import { type ContributionList, emptyList, encodeContributions } from './contributions.ts';
import type { SeriesRow } from './series-row.ts';
import { type OpenTuples, prepareTuples, type TupleLimits } from './tuples.ts';

/** A series as the writer adds to it. */
export interface LiveSeries {
  readonly series: number;
  readonly spec: SeriesSpec;
  readonly eventType: number;
  /** Events up to here are counted; those above lastRow as they come. */
  backFilledRow: number;
  readonly lastRow: number;
  /** Takes one event into what the transaction adds. */
  add(rowId: number, subject: number, timeMs: number, data: unknown): void;
  /** Takes a stored event of the series' type. */
  addStored(row: { row_id: number; subject: number; time_ms: number; data: string | null }): void;
  /** What was added since the last call, as bytes; undefined when nothing was. */
  take(): { events: number; bytes: Uint8Array; firstMs: number; lastMs: number } | undefined;
}

/** The series that meters need. All of it can be read back from the database. */
export interface SeriesRegistry {
  readonly all: readonly LiveSeries[];
  /** Adds a new event to every series of its type. */
  addEvent(rowId: number, type: number, subject: number, timeMs: number, data: string | null): void;
}

/** @param today day (UTC) of what is being stored */
export function openSeriesRegistry(db: Sqlite, limits: TupleLimits, today: () => number): SeriesRegistry {
  const rows = db.prepare('SELECT * FROM rollup_series WHERE dropped = 0 ORDER BY series').all() as SeriesRow[];
  const openTuples = prepareTuples(db, limits, today);
  const all = rows.map((row) => liveSeries(row, openTuples));
  const byType = Map.groupBy(all, (series) => series.eventType);
  return {
    all,
    addEvent(rowId, type, subject, timeMs, data) {
      const wanted = byType.get(type);
      if (wanted === undefined) return;
      const parsed = parseData(data);
      for (const series of wanted) series.add(rowId, subject, timeMs, parsed);
    },
  };
}

function liveSeries(row: SeriesRow, openTuples: OpenTuples): LiveSeries {
  const spec = JSON.parse(row.spec) as SeriesSpec;
  const { aggregation } = spec;
  const reading = eventReading(spec);
  const tuples = openTuples(
    row.series,
    spec.dimensions.map(([name]) => name),
  );
  const { keeping, reading: valueReading } = AGGREGATIONS[aggregation];
  let list: ContributionList = emptyList();
  const addAs = (tuple: number, rowId: number, subject: number, timeMs: number, data: unknown): void => {
    list.timeMs.push(timeMs);
    list.subject.push(subject);
    list.dims.push(tuple);
    if (valueReading.takes === 'number') list.figures.push(reading.figure(data));
    if (valueReading.takes === 'text') list.values.push(reading.value(data));
    if (keeping === 'latest') list.rowId.push(rowId);
  };
  const textsOf = (data: unknown) => reading.dimensions.map((read) => read(data));
  return {
    add: (rowId, subject, timeMs, data) => addAs(tuples.idOf(textsOf(data)), rowId, subject, timeMs, data),
    addStored: ({ row_id, subject, time_ms, data }) => {
      const parsed = parseData(data);
      addAs(tuples.idOfStored(textsOf(parsed)), row_id, subject, time_ms, parsed);
    },
    series: row.series,
    spec,
    eventType: row.event_type,
    backFilledRow: row.back_filled_row,
    lastRow: row.last_row,
    take() {
      const events = list.timeMs.length;
      if (events === 0) return undefined;
      const bytes = encodeContributions(aggregation, list);
      let [firstMs, lastMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (const timeMs of list.timeMs) {
        if (timeMs < firstMs) firstMs = timeMs;
        if (timeMs > lastMs) lastMs = timeMs;
      }
      list = emptyList();
      return { events, bytes, firstMs, lastMs };
    },
  };
}

/**
 * Makes the stored series those that the meters need: to be called in a transaction, and followed by opening the
 * registry anew. What is no longer needed is marked and removed bit by bit.
 * @param lastRow the last event stored so far: the new series back-fill up to it
 */
export function syncSeries(db: Sqlite, names: Names, meters: readonly MeterSpec[], lastRow: number): void {
  const wanted = new Map(meters.map((meter) => [canonicalSpec(meter), meter]));
  const rows = db.prepare('SELECT * FROM rollup_series WHERE dropped = 0').all() as SeriesRow[];
  const drop = db.prepare('UPDATE rollup_series SET dropped = 1 WHERE series = ?');
  for (const row of rows) if (!wanted.delete(row.spec)) drop.run(row.series);
  const firstRow = (db.prepare('SELECT min(row_id) FROM events').pluck().get() as number | null) ?? lastRow + 1;
  const insert = db.prepare(
    'INSERT INTO rollup_series (spec, event_type, back_filled_row, last_row) VALUES (?, ?, ?, ?)',
  );
  for (const [spec, meter] of wanted) insert.run(spec, names.idOf(meter.eventType), firstRow - 1, lastRow);
}
