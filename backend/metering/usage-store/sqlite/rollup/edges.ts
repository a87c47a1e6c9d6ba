import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import type { Cell } from '../../aggregations/cell.ts';
import { parseData } from '../../event-data.ts';
import { eventReading } from '../../series/event-reading.ts';
import type { SeriesSpec } from '../../series/series-spec.ts';
import { untilCancelled } from '../usage-query.ts';

interface Edge {
  fromMs: number;
  toMs: number;
  /** name_ids; undefined: all. */
  subjects: ReadonlySet<number> | undefined;
  isCancelled: () => boolean;
}

type TakeEvent = (texts: () => readonly string[], subject: number, value: string, cell: Cell) => void;

/** Reads the events of a short stretch by the index over time. @returns how many there were */
export function visitEdge(db: Sqlite, spec: SeriesSpec, edge: Edge, take: TakeEvent): number {
  const { fromMs, toMs, subjects, isCancelled } = edge;
  const reading = eventReading(spec);
  // Without the hint a database without statistics may walk through all rows instead.
  const rows = db
    .prepare(
      `SELECT row_id, subject, time_ms, data FROM events INDEXED BY events_by_time
       WHERE time_ms >= ? AND time_ms < ? AND type = (SELECT name_id FROM names WHERE text = ?)
       AND voided_by IS NULL`,
    )
    .raw()
    .iterate(fromMs, toMs, spec.eventType) as IterableIterator<[number, number, number, string | null]>;
  let count = 0;
  for (const [rowId, subject, timeMs, data] of untilCancelled(rows, isCancelled)) {
    count++;
    if (subjects !== undefined && !subjects.has(subject)) continue;
    const parsed = parseData(data);
    const figure = reading.figure(parsed);
    const m = figure === null ? 0 : 1;
    const cell = { n: 1, m, figure, atMs: timeMs, rowId, firstMs: timeMs, lastMs: timeMs };
    take(() => reading.dimensions.map((read) => read(parsed)), subject, reading.value(parsed), cell);
  }
  return count;
}
