import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import type { MeterSpec } from '../../types.ts';
import type { Names } from '../names.ts';
import { openDirtyQuarters } from './dirty.ts';
import { openFold } from './fold.ts';
import { prepareStrip } from './pending-strip.ts';
import { prepareRebuild } from './rebuild.ts';
import { prepareRecompute, type WrongBucket } from './recompute.ts';
import { prepareAddRows } from './rollup-rows.ts';
import { type LiveSeries, openSeriesRegistry, syncSeries } from './series-registry.ts';
import type { TupleLimits } from './tuples.ts';

/** What bounds the upkeep of roll-ups. */
export interface RollupOptions extends TupleLimits {
  /** Events of a generation before it is folded: 16 to 50 bytes each, read by every query until then. */
  generationEvents: number;
  /** Transactions of a generation before it is folded: each is a row that queries read. */
  generationDeltas: number;
  /** Rows that a step folds at most when nothing else waits. */
  foldRowsPerStep: number;
  /** Rows that a transaction folds for each event that it stores: more than an event can become, or folds fall behind. */
  foldRowsPerEvent: number;
  /** Stored events that a step of back-filling looks at. */
  backFillEventsPerStep: number;
}

/** 64k events are a megabyte of deltas and a few milliseconds of a query; more fold better, less read faster. */
export const DEFAULT_ROLLUP_OPTIONS: RollupOptions = {
  generationEvents: 65_536,
  generationDeltas: 2000,
  foldRowsPerStep: 4000,
  foldRowsPerEvent: 8,
  backFillEventsPerStep: 1000,
  maxDimensionValues: 1000,
  tupleCacheBytes: 16_777_216,
};

/** Keeps the roll-ups; everything but `reload` is to be called inside a transaction of the writer. */
export interface RollupWriter {
  addEvent(rowId: number, type: number, subject: number, timeMs: number, data: string | null): void;
  /** Writes what the transaction's events add, and does a share of the folding that is due. */
  flush(): void;
  /** Marks a quarter of an hour in which an event has been made void or counted again. */
  markDirty(type: number, quarter: number, subject: number): void;
  /** One step of back-filling, computing anew or removing. @returns whether there was anything to do */
  backFillStep(): boolean;
  /** Has the steps that failed tried again. */
  retryFailed(): void;
  /** Steps that have failed and are passed over. */
  readonly failedSteps: number;
  /** One step of folding, for when nothing is written. @returns whether there was anything to do */
  foldStep(): boolean;
  /**
   * Computes a bucket of one level anew from the events, whatever its rows say. Nothing may be waiting to be folded.
   * For what should never happen: `rebuild` trusts the rows that it does not change.
   */
  recompute(bucket: WrongBucket): void;
  sync(meters: readonly MeterSpec[], lastRow: number): void;
  /** Reads everything anew: after a rollback, when memory holds what is not on disk. */
  reload(): void;
}

const REMOVED_ROWS_PER_STEP = 5000;

/** @param today day (UTC) of what is being stored */
export function openRollupWriter(db: Sqlite, names: Names, options: RollupOptions, today: () => number): RollupWriter {
  const addRowsOf = prepareAddRows(db);
  const insertDelta = db.prepare(
    'INSERT INTO rollup_deltas (generation, series, events, contributions, first_ms, last_ms) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const backFill = prepareBackFill(db, options.backFillEventsPerStep);
  const removeDropped = prepareRemoving(db);
  const open = () => {
    const registry = openSeriesRegistry(db, options, today);
    const fold = openFold(db, registry.all, addRowsOf, dirty.markDelta);
    const size = db
      .prepare('SELECT count(*) AS deltas, total(events) AS events FROM rollup_deltas WHERE generation = ?')
      .get(fold.active) as { deltas: number; events: number };
    const isRemoving = db.prepare('SELECT 1 FROM rollup_series WHERE dropped = 1').get() !== undefined;
    return { registry, fold, ...size, isRemoving };
  };
  const dirty = openDirtyQuarters(db);
  let state = open();
  const recompute = prepareRecompute(db, addRowsOf);
  const rebuild = prepareRebuild(
    db,
    prepareStrip(
      db,
      () => state.fold.active,
      (deltas, events) => {
        state.deltas -= deltas;
        state.events -= events;
      },
    ),
  );

  /**
   * Steps that have failed: the others go on, and these are tried again after `retryFailed`. One series or one quarter of
   * an hour that cannot be computed must not hold up what comes after it.
   */
  const failed = new Set<string>();
  const attempt = (step: string, work: () => void): void => {
    try {
      work();
    } catch (error) {
      failed.add(step);
      throw error;
    }
  };

  /** @returns whether there was anything to do */
  const rebuildStep = (): boolean => {
    const next = dirty.next(({ series, quarter }) => failed.has(`rebuild ${series} ${quarter}`));
    const series = next && state.registry.all.find((candidate) => candidate.series === next.series);
    if (next === undefined || series === undefined) return false;
    // Rows of all levels hold the same events only while nothing is being folded.
    if (state.fold.isFolding) state.fold.applySome(options.foldRowsPerStep);
    else attempt(`rebuild ${next.series} ${next.quarter}`, () => rebuild(series, next.quarter, next.subjects));
    return true;
  };

  const freeze = (): void => {
    state.fold.freeze();
    state.events = 0;
    state.deltas = 0;
  };

  const flush = (): void => {
    const { registry, fold } = state;
    let added = 0;
    for (const series of registry.all) {
      const taken = series.take();
      if (taken === undefined) continue;
      insertDelta.run(fold.active, series.series, taken.events, taken.bytes, taken.firstMs, taken.lastMs);
      state.deltas++;
      added += taken.events;
    }
    state.events += added;
    // Faster than events come in, however many rows they become; a pause is no longer than the storing itself.
    if (fold.isFolding) fold.applySome(Math.max(1, added * options.foldRowsPerEvent));
    if (state.events < options.generationEvents && state.deltas < options.generationDeltas) return;
    while (fold.isFolding) fold.applySome(options.foldRowsPerStep);
    freeze();
  };

  return {
    addEvent: (rowId, type, subject, timeMs, data) => state.registry.addEvent(rowId, type, subject, timeMs, data),
    flush,
    markDirty: dirty.mark,
    backFillStep() {
      const behind = state.registry.all.find(
        ({ series, backFilledRow, lastRow }) => backFilledRow < lastRow && !failed.has(`back-fill ${series}`),
      );
      if (behind !== undefined) {
        attempt(`back-fill ${behind.series}`, () => backFill(behind));
        flush();
        return true;
      }
      if (rebuildStep()) return true;
      if (state.isRemoving) {
        state.isRemoving = removeDropped();
        return true;
      }
      return false;
    },
    retryFailed: () => failed.clear(),
    get failedSteps() {
      return failed.size;
    },
    foldStep() {
      if (!state.fold.isFolding) {
        if (state.deltas === 0) return false;
        freeze();
      }
      state.fold.applySome(options.foldRowsPerStep);
      return true;
    },
    recompute({ series, level, bucket }) {
      const live = state.registry.all.find((candidate) => candidate.series === series);
      if (live !== undefined) recompute(live, level, bucket);
    },
    sync(meters, lastRow) {
      syncSeries(db, names, meters, lastRow);
      state = open();
    },
    reload() {
      state = open();
    },
  };
}

/** Counts the next stored events in a series that was made after them; the progress is part of the transaction. */
function prepareBackFill(db: Sqlite, maxEvents: number): (series: LiveSeries) => void {
  const next = db.prepare(
    `SELECT row_id, subject, time_ms, data, type, voided_by FROM events WHERE row_id > ? AND row_id <= ? ORDER BY row_id LIMIT ${maxEvents}`,
  );
  const save = db.prepare('UPDATE rollup_series SET back_filled_row = ? WHERE series = ?');
  return (series) => {
    const rows = next.all(series.backFilledRow, series.lastRow) as {
      row_id: number;
      subject: number;
      time_ms: number;
      data: string | null;
      type: number;
      voided_by: number | null;
    }[];
    for (const row of rows) if (row.type === series.eventType && row.voided_by === null) series.addStored(row);
    series.backFilledRow = rows.length < maxEvents ? series.lastRow : (rows.at(-1)?.row_id ?? series.lastRow);
    save.run(series.backFilledRow, series.series);
  };
}

/** Removes some rows of series that no meter needs any more. @returns whether more are left */
function prepareRemoving(db: Sqlite): () => boolean {
  const dropped = db.prepare('SELECT series FROM rollup_series WHERE dropped = 1 LIMIT 1').pluck();
  const rollups = db.prepare(
    `DELETE FROM rollups WHERE (series, level, bucket, subject, dims, value) IN
       (SELECT series, level, bucket, subject, dims, value FROM rollups WHERE series = ? LIMIT ${REMOVED_ROWS_PER_STEP})`,
  );
  const dirty = db.prepare('DELETE FROM rollup_dirty_subjects WHERE series = ?');
  const tuples = db.prepare(
    `DELETE FROM rollup_tuples WHERE tuple_id IN
       (SELECT tuple_id FROM rollup_tuples WHERE series = ? LIMIT ${REMOVED_ROWS_PER_STEP})`,
  );
  const values = db.prepare('DELETE FROM rollup_values WHERE series = ?');
  const series = db.prepare('DELETE FROM rollup_series WHERE series = ?');
  return () => {
    const id = dropped.get() as number | undefined;
    if (id === undefined) return false;
    if (rollups.run(id).changes > 0) return true;
    if (tuples.run(id).changes > 0) return true;
    values.run(id);
    dirty.run(id);
    series.run(id);
    return dropped.get() !== undefined;
  };
}
