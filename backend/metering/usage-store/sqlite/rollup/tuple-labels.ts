import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import type { DimensionJudge } from '../../answering/cell-gather.ts';
import { rememberTuples } from '../../series/remembered-tuples.ts';
import type { TupleTexts } from '../../series/tuple-texts.ts';

/** The combinations of a series that pass, by their number. 0 stands for a level that does not tell dimensions apart. */
export function tupleLabels(
  db: Sqlite,
  series: number,
  judge: DimensionJudge,
): (tuple: number) => ReturnType<DimensionJudge> {
  const find = db.prepare('SELECT texts FROM rollup_tuples WHERE tuple_id = ? AND series = ?').pluck();
  return rememberTuples(
    (tuple) => judge(tuple === 0 ? [] : (JSON.parse(find.get(tuple, series) as string) as TupleTexts)),
    (labels) => (typeof labels === 'object' ? labels.key.length : 0),
  );
}
