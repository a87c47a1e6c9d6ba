import type { Meter, MeterBreakdown } from '../api/meters.ts';
import type { ChartSeries } from '../ui/chart-types.ts';
import { countOf, formatDecimal } from './format.ts';
import { type WindowRequest, windowStarts } from './windows.ts';

/** What is said of a value that an event does not have. */
const NO_VALUE = '(empty)';

/** Whether the figures of groups and windows add up to the whole: only then may one stand on the other. */
export function addsUp(aggregation: Meter['aggregation']): boolean {
  return aggregation === 'sum' || aggregation === 'count';
}

/** A group in a few words. */
function groupLabel(dimensions: Readonly<Record<string, string>>, groupBy: readonly string[]): string {
  return groupBy.length === 0 ? 'Usage' : groupBy.map((name) => valueLabel(dimensions[name])).join(' · ');
}

export function valueLabel(value: string | undefined): string {
  return value === undefined || value === '' ? NO_VALUE : value;
}

/**
 * What a chart shows: each of the largest groups, and all others together, with a point for each window of what was asked
 * for: where nothing happened, that is seen. A chart is a picture: only here do exact values become floats; tables and
 * exports keep them.
 */
export function chartSeries(
  { windows, groups, other }: MeterBreakdown,
  groupBy: readonly string[],
  request: WindowRequest,
  aggregation: Meter['aggregation'],
): ChartSeries[] {
  const times = [...new Set([...windowStarts(request), ...windows.map(({ from }) => from)])].sort();
  // Nothing counted is 0; of what was not measured there is no average, no maximum and no latest.
  const nothing = addsUp(aggregation) || aggregation === 'unique_count' ? 0 : null;
  const pointsOf = (values: readonly (string | null)[]) => {
    const byTime = new Map(windows.map(({ from }, index) => [from, values[index] ?? null]));
    return times.map((at) => {
      const value = byTime.get(at) ?? null;
      return { at, value: value === null ? nothing : Number.parseFloat(value) };
    });
  };
  return [
    ...groups.map(({ dimensions, total, values }) => ({
      label: groupLabel(dimensions, groupBy),
      points: pointsOf(values),
      figure: figureOf(total),
    })),
    ...(other === undefined
      ? []
      : [
          {
            label: `Other (${countOf(other.group_count, 'group')})`,
            points: pointsOf(other.values),
            figure: figureOf(other.total),
            isRest: true,
          },
        ]),
  ];
}

function figureOf(total: string | undefined): string | undefined {
  return total === undefined ? undefined : formatDecimal(total);
}
