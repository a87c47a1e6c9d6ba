import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import { type Contributions, decodeContributions, emptyList, encodeContributions } from './contributions.ts';
import type { LiveSeries } from './series-registry.ts';

/**
 * Takes out of the active deltas of a series what lies in a stretch of time.
 * @param subjects only that of these; undefined: all
 */
export type StripPending = (
  series: LiveSeries,
  fromMs: number,
  toMs: number,
  subjects: ReadonlySet<number> | undefined,
) => void;

/**
 * @param activeGeneration the generation that takes what is stored now
 * @param onRemoved told how many deltas and events are gone
 */
export function prepareStrip(
  db: Sqlite,
  activeGeneration: () => number,
  onRemoved: (deltas: number, events: number) => void,
): StripPending {
  const overlapping = db.prepare(
    `SELECT delta_id, contributions FROM rollup_deltas WHERE generation = ? AND series = ?
     AND coalesce(last_ms, ?) >= ? AND coalesce(first_ms, ?) < ?`,
  );
  const remove = db.prepare('DELETE FROM rollup_deltas WHERE delta_id = ?');
  const replace = db.prepare('UPDATE rollup_deltas SET events = ?, contributions = ? WHERE delta_id = ?');
  return ({ series, spec }, fromMs, toMs, subjects) => {
    const found = overlapping.all(activeGeneration(), series, fromMs, fromMs, fromMs, toMs);
    for (const { delta_id, contributions } of found as { delta_id: number; contributions: Uint8Array }[]) {
      const before = decodeContributions(spec.aggregation, contributions);
      const list = without(before, fromMs, toMs, subjects);
      const left = list.timeMs.length;
      if (left === before.length) continue;
      if (left === 0) remove.run(delta_id);
      else replace.run(left, encodeContributions(spec.aggregation, list), delta_id);
      onRemoved(left === 0 ? 1 : 0, before.length - left);
    }
  };
}

function without(part: Contributions, fromMs: number, toMs: number, subjects: ReadonlySet<number> | undefined) {
  const list = emptyList();
  for (let index = 0; index < part.length; index++) {
    const timeMs = part.timeMs[index] as number;
    const isOfSubjects = subjects?.has(part.subject[index] as number) ?? true;
    if (timeMs >= fromMs && timeMs < toMs && isOfSubjects) continue;
    list.timeMs.push(timeMs);
    list.subject.push(part.subject[index] as number);
    list.dims.push(part.dims[index] as number);
    if (part.rowId !== undefined) list.rowId.push(part.rowId[index] as number);
    if (part.figures !== undefined) list.figures.push(part.figures[index] ?? null);
    if (part.values !== undefined) list.values.push(part.values[index] as string);
  }
  return list;
}
