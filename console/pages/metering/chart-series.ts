import type { MeterQueryResult } from '../../api/meters.ts';
import type { ChartSeries } from '../../ui/chart-types.ts';

/** More lines than this cannot be told apart. */
const MAX_SERIES = 10;

/**
 * The lines of a chart: one for each group, the largest first. A chart is a picture: only here do exact values become
 * floats; tables and exports keep them.
 */
export function chartSeries(rows: MeterQueryResult['data'], groupBy: readonly string[]): ChartSeries[] {
  const groups = new Map<string, ChartSeries & { total: number }>();
  for (const row of rows) {
    const label =
      groupBy.map((name) => row.dimensions[name] ?? '').join(' · ') || (groupBy.length > 0 ? '(empty)' : 'Usage');
    const series = groups.get(label) ?? { label, points: [], total: 0 };
    const value = Number.parseFloat(row.value);
    series.points.push({ at: row.from, value });
    series.total += value;
    groups.set(label, series);
  }
  return [...groups.values()].sort((a, b) => b.total - a.total).slice(0, MAX_SERIES);
}
