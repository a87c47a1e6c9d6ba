import { Decimal, formatDecimal } from '../../platform/decimal.ts';
import type { Breakdown, BreakdownGroup, BreakdownQuery, FiguresByWindow } from '../breakdown-types.ts';
import type { AnswerOrigin, UsageQuery, UsageRow } from '../types.ts';
import { refuseTooManyWindows } from './query-limits.ts';
import { figureFold, toFigure } from './rollup/figure.ts';
import { sortedByValue } from './usage-page.ts';
import { type GroupedQuery, groupKey, OTHERS_KEY, type QueryAnswer } from './usage-rows.ts';

/** Answers a query of one snapshot. */
type Answer = (query: GroupedQuery) => QueryAnswer;

/**
 * The largest groups of a query by their totals, and what all others are together. The totals of all groups are gathered
 * once; the windows then only for the groups that are told apart, so that memory and answer do not grow with the others.
 */
export function readBreakdown(answer: Answer, query: BreakdownQuery): { breakdown: Breakdown; origin: AnswerOrigin } {
  const whole = { ...query, granularity: undefined };
  const { rows, origin } = answer(whole);
  const ranked = sortedByValue(rows, 'desc');
  const top = ranked.slice(0, query.top);
  const others = ranked.slice(query.top);
  const apart = new Set(top.map(groupKey));
  const byWindow = query.granularity === undefined ? [] : answer({ ...query, apart }).rows;
  const windows = windowsOf(byWindow);
  refuseTooManyWindows(windows.length);
  const valuesOf = figuresByGroup(byWindow, windows);
  const groups = top.map(
    (row): BreakdownGroup => ({
      labels: labelsOf(row),
      total: row.value,
      values: valuesOf(groupKey(row)),
    }),
  );
  const other =
    others.length === 0
      ? undefined
      : { total: totalOf(answer, { ...whole, apart }, others), values: valuesOf(OTHERS_KEY) };
  const total = totalOf(answer, ungrouped(whole), ranked);
  return { breakdown: { total, groupCount: ranked.length, windows, groups, other }, origin };
}

/**
 * The figure of several groups together. Counts, sums and extremes follow from those of the groups; an average, the
 * latest value and the number of distinct values do not, and are asked for.
 * @param query whose row without a name is the figure
 */
function totalOf(answer: Answer, query: GroupedQuery, rows: readonly UsageRow[]): string | undefined {
  const { aggregation } = query.meter;
  if (aggregation === 'avg' || aggregation === 'latest' || aggregation === 'unique_count') {
    return answer(query).rows.find((row) => groupKey(row) === OTHERS_KEY)?.value;
  }
  if (rows.length === 0) return aggregation === 'count' ? '0' : undefined;
  const fold = figureFold(aggregation);
  const figures = rows.map(({ value }) => toFigure(new Decimal(value)));
  return formatDecimal(new Decimal(figures.reduce(fold)));
}

function ungrouped({ subjectGroups: _, ...query }: UsageQuery): UsageQuery {
  return { ...query, groupBy: [], groupBySubject: false };
}

function windowsOf(rows: readonly UsageRow[]): Breakdown['windows'] {
  const windows = new Map(rows.map(({ fromMs, toMs }) => [fromMs, toMs]));
  return [...windows].sort(([a], [b]) => a - b).map(([fromMs, toMs]) => ({ fromMs, toMs }));
}

/** Of each group its value in each of the windows. */
function figuresByGroup(
  rows: readonly UsageRow[],
  windows: Breakdown['windows'],
): (key: string) => FiguresByWindow['values'] {
  const indexes = new Map(windows.map(({ fromMs }, index) => [fromMs, index]));
  const figures = new Map<string, FiguresByWindow['values']>();
  for (const row of rows) {
    const key = groupKey(row);
    const values = figures.get(key) ?? windows.map(() => null);
    values[indexes.get(row.fromMs) as number] = row.value;
    figures.set(key, values);
  }
  return (key) => figures.get(key) ?? windows.map(() => null);
}

function labelsOf({ subject, subjectGroup, dimensions }: UsageRow): BreakdownGroup['labels'] {
  return { ...(subject !== undefined && { subject }), ...(subjectGroup !== undefined && { subjectGroup }), dimensions };
}
