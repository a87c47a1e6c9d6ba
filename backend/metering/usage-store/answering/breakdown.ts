import { Decimal, formatDecimal } from '../../../platform/decimal.ts';
import { toFigure } from '../aggregations/figure.ts';
import { AGGREGATIONS, type AggregationRules } from '../aggregations/index.ts';
import type { Breakdown, BreakdownGroup, BreakdownQuery, FiguresByWindow } from '../breakdown-types.ts';
import type { AnswerOrigin, UsageQuery, UsageRow } from '../types.ts';
import { isRefusedQuery, refuseTooManyWindows } from './query-limits.ts';
import { sortedByValue } from './usage-page.ts';
import { type GroupedQuery, groupKey, OTHERS_KEY, type QueryAnswer } from './usage-rows.ts';

/** Gives queries and is given their answers, all of one snapshot; whoever reads may wait in between or not. */
type Reading<T> = Generator<GroupedQuery, T, QueryAnswer>;

/** What a breakdown is made of. */
interface Figures {
  /** Of each group over the whole range, by name. */
  totals: readonly UsageRow[];
  /** The windows of these groups, and without a name those of all others together. */
  byWindow(apart: ReadonlySet<string>): Reading<readonly UsageRow[]>;
  origin: AnswerOrigin;
}

type Fold = NonNullable<AggregationRules['foldFigures']>;

/** The largest groups of a query by their totals, and what all others are together. */
export function* breakdownOf(query: BreakdownQuery): Reading<{ breakdown: Breakdown; origin: AnswerOrigin }> {
  const { totals, byWindow, origin } = (yield* readInOne(query)) ?? (yield* readInTwo(query));
  const ranked = sortedByValue(totals, 'desc');
  const top = ranked.slice(0, query.top);
  const others = ranked.slice(query.top);
  const apart = new Set(top.map(groupKey));
  const rows = yield* byWindow(apart);
  const windows = windowsOf(rows);
  refuseTooManyWindows(windows.length);
  const valuesOf = figuresByGroup(rows, windows);
  const groups = top.map(
    (row): BreakdownGroup => ({ labels: labelsOf(row), total: row.value, values: valuesOf(groupKey(row)) }),
  );
  const whole = { ...query, granularity: undefined };
  const other =
    others.length === 0
      ? undefined
      : { total: yield* totalOf({ ...whole, apart }, others), values: valuesOf(OTHERS_KEY) };
  const total = yield* totalOf(ungrouped(whole), ranked);
  return { breakdown: { total, groupCount: ranked.length, windows, groups, other }, origin };
}

/**
 * All windows of all groups at once: what was read is not read again.
 * @returns undefined where they would be too many, or do not add up
 */
function* readInOne(query: UsageQuery): Reading<Figures | undefined> {
  const { foldFigures } = AGGREGATIONS[query.meter.aggregation];
  if (query.granularity === undefined || foldFigures === undefined) return undefined;
  const answered = yield* unlessRefused(query);
  // Of nothing there may be a figure all the same: a count of 0.
  if (answered === undefined || answered.rows.length === 0) return undefined;
  const { rows, origin } = answered;
  const byKey = [...Map.groupBy(rows, groupKey)].sort(([a], [b]) => (a < b ? -1 : 1));
  const totals = byKey.map(([, own]) => foldRows(foldFigures, own));
  const byWindow: Figures['byWindow'] = function* (apart) {
    const others = rows.filter((row) => !apart.has(groupKey(row)));
    const folded = Map.groupBy(others, ({ fromMs }) => fromMs).values();
    const nameless = [...folded].map((own) => nameOff(foldRows(foldFigures, own)));
    return [...rows.filter((row) => apart.has(groupKey(row))), ...nameless];
  };
  return { totals, byWindow, origin };
}

/** The totals first, and then windows only of what is told apart: memory does not grow with the windows of the others. */
function* readInTwo(query: UsageQuery): Reading<Figures> {
  const { rows, origin } = yield { ...query, granularity: undefined };
  const byWindow: Figures['byWindow'] = function* (apart) {
    return query.granularity === undefined ? [] : (yield { ...query, apart }).rows;
  };
  return { totals: rows, byWindow, origin };
}

/** Whatever else is refused is so again, and then for good. */
function* unlessRefused(query: UsageQuery): Reading<QueryAnswer | undefined> {
  try {
    return yield query;
  } catch (error) {
    if (isRefusedQuery(error)) return undefined;
    throw error;
  }
}

/** Several rows as one, with the name and the window of the first. */
function foldRows(fold: Fold, rows: readonly UsageRow[]): UsageRow {
  const [first] = rows;
  if (first === undefined) throw new Error('there is nothing to fold');
  const figures = rows.map(({ value }) => toFigure(new Decimal(value)));
  return { ...first, value: formatDecimal(new Decimal(figures.reduce((a, b) => fold(a, b)))) };
}

function nameOff({ fromMs, toMs, value }: UsageRow): UsageRow {
  return { fromMs, toMs, value, dimensions: {} };
}

/**
 * The figure of several groups together.
 * @param query whose row without a name is the figure, for what does not follow from those of the groups
 */
function* totalOf(query: GroupedQuery, rows: readonly UsageRow[]): Reading<string | undefined> {
  const { foldFigures, ofNothing } = AGGREGATIONS[query.meter.aggregation];
  if (rows.length === 1) return rows[0]?.value;
  if (foldFigures === undefined) return (yield query).rows.find((row) => groupKey(row) === OTHERS_KEY)?.value;
  if (rows.length === 0) return ofNothing;
  return foldRows(foldFigures, rows).value;
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
