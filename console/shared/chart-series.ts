import type { MeterQueryResult } from '../api/meters.ts';
import type { ChartSeries } from '../ui/chart-types.ts';
import { type WindowRequest, windowStarts } from './windows.ts';

/** More lines than this cannot be told apart. */
const MAX_SERIES = 10;

/**
 * The lines of a chart: one for each group, the largest first, with a point for each window of what was asked for: where
 * nothing happened, that is seen. A chart is a picture: only here do exact values become floats; tables and exports keep
 * them.
 */
export function chartSeries(
  rows: MeterQueryResult['data'],
  groupBy: readonly string[],
  request: WindowRequest,
): ChartSeries[] {
  const groups = new Map<string, { label: string; values: Map<string, number>; total: number }>();
  for (const row of rows) {
    const label =
      groupBy.map((name) => row.dimensions[name] ?? '').join(' · ') || (groupBy.length > 0 ? '(empty)' : 'Usage');
    const group = groups.get(label) ?? { label, values: new Map<string, number>(), total: 0 };
    const value = Number.parseFloat(row.value);
    group.values.set(row.from, value);
    group.total += value;
    groups.set(label, group);
  }
  const times = [...new Set([...windowStarts(request), ...rows.map(({ from }) => from)])].sort();
  return [...groups.values()]
    .sort((a, b) => b.total - a.total)
    .slice(0, MAX_SERIES)
    .map(({ label, values }) => ({ label, points: times.map((at) => ({ at, value: values.get(at) ?? 0 })) }));
}
