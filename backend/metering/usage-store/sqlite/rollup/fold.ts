import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import type { RollupKey } from '../../series/levels.ts';
import type { Aggregation } from '../../types.ts';
import { type DeltaRow, type FoldedSeries, type FoldRow, foldTasks } from './fold-tasks.ts';
import type { AddRows } from './rollup-rows.ts';

/** Generations of deltas: one takes what is stored now, one is being folded into the rollups or none is. */
export interface Fold {
  readonly active: number;
  readonly isFolding: boolean;
  /** Ends the active generation and begins to fold it. To be called in a transaction, when none is being folded. */
  freeze(): void;
  /** Applies up to so many rows, in the transaction of the caller. @returns whether the generation is done */
  applySome(maxRows: number): boolean;
}

export interface FoldState {
  active: number;
  frozen: number;
  position: string | null;
}

/**
 * Opens the fold where the last transaction left it.
 * @param setAside told of a delta that cannot be read: its time is to be computed anew
 */
export function openFold(
  db: Sqlite,
  live: readonly FoldedSeries[],
  addRowsOf: (aggregation: Aggregation) => AddRows,
  setAside: (delta: DeltaRow) => void,
): Fold {
  const state = db.prepare('SELECT active, frozen, position FROM rollup_fold').get() as FoldState;
  const save = db.prepare('UPDATE rollup_fold SET active = ?, frozen = ?, position = ?');
  const removeDeltas = db.prepare('DELETE FROM rollup_deltas WHERE generation = ?');
  const aggregations = new Map(live.map(({ series, spec }) => [series, spec.aggregation]));
  let { active, frozen } = state;
  let position = state.position === null ? undefined : (JSON.parse(state.position) as RollupKey);
  let tasks = frozen === 0 ? undefined : foldTasks(db, frozen, live, position, setAside);
  let rows: readonly FoldRow[] = [];
  let next = 0;

  const finish = (): true => {
    removeDeltas.run(frozen);
    save.run(active, 0, null);
    frozen = 0;
    position = undefined;
    tasks = undefined;
    return true;
  };

  return {
    get active() {
      return active;
    },
    get isFolding() {
      return frozen !== 0;
    },
    freeze() {
      frozen = active++;
      position = undefined;
      save.run(active, frozen, null);
      tasks = foldTasks(db, frozen, live, undefined, setAside);
    },
    applySome(maxRows) {
      let left = maxRows;
      while (left > 0 && tasks !== undefined) {
        if (next >= rows.length) {
          const task = tasks.next();
          if (task.done) return finish();
          rows = task.value;
          next = 0;
          continue;
        }
        const end = Math.min(rows.length, next + left);
        left -= end - next;
        const series = (rows[next] as FoldRow).key[0];
        const add = addRowsOf(aggregations.get(series) ?? 'count');
        add(rows, next, end);
        next = end;
        position = (rows[end - 1] as FoldRow).key;
      }
      if (frozen !== 0) save.run(active, frozen, position === undefined ? null : JSON.stringify(position));
      return frozen === 0;
    },
  };
}
