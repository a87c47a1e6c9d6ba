import type { Period } from '../../../platform/period/index.ts';
import type { Cell } from '../aggregations/cell.ts';
import { AGGREGATIONS } from '../aggregations/index.ts';
import { passesFilter } from '../dimension-filter.ts';
import type { SeriesSpec } from '../series/series-spec.ts';
import type { TupleTexts } from '../series/tuple-texts.ts';
import type { UsageQuery } from '../types.ts';
import { createRoom, type QueryLimits } from './query-limits.ts';
import { type GroupedQuery, OTHERS_KEY, subjectKey, type UsageGroup, valuesKey } from './usage-rows.ts';

/** The grouped values of a combination of dimensions. */
export interface DimensionLabels {
  key: string;
  dimensions: Readonly<Record<string, string>>;
}

/** Adds cells to the groups of a query. */
export interface Gather {
  add(window: Period | undefined, subject: number, labels: DimensionLabels, value: string, cell: Cell): void;
  groups(): Iterable<UsageGroup>;
}

interface Group extends UsageGroup {
  cell: Cell;
  distinct: Set<string>;
}

/**
 * @param subjectText the name behind a name_id; asked only where the query needs subjects
 * @param limits asked whenever a group is added
 * @param countsEvents whether the answer is the number of events instead of the figure
 */
export function createGather(
  query: GroupedQuery,
  subjectText: (subject: number) => string,
  limits: QueryLimits,
  countsEvents = false,
): Gather {
  const rules = AGGREGATIONS[query.meter.aggregation];
  const { merge } = rules;
  const needsText = query.groupBySubject || query.subjectGroups !== undefined;
  const groups = new Map<string, Group>();
  const takeRoom = createRoom(limits, query.groupBy);
  const labelOf = new Map<number, { key: string; labels: Pick<UsageGroup['labels'], 'subject' | 'subjectGroup'> }>();

  const subjectLabel = (id: number) => {
    let label = labelOf.get(id);
    if (label === undefined) {
      const text = needsText ? subjectText(id) : '';
      const subject = query.groupBySubject ? text : undefined;
      const subjectGroup = query.subjectGroups?.get(text);
      const labels = {
        ...(subject !== undefined && { subject }),
        ...(subjectGroup !== undefined && { subjectGroup }),
      };
      label = { key: subjectKey(subject, subjectGroup), labels };
      labelOf.set(id, label);
    }
    return label;
  };

  return {
    add(window, subjectId, labels, value, cell) {
      const subject = subjectLabel(needsText ? subjectId : 0);
      const own = subject.key + labels.key;
      const isApart = query.apart?.has(own) ?? true;
      const key = `${window === undefined ? '' : window.fromMs}${isApart ? own : OTHERS_KEY}`;
      let group = groups.get(key);
      if (group === undefined) {
        const sum: Cell = { ...cell };
        const distinct = new Set<string>();
        group = {
          window,
          labels: isApart ? { dimensions: labels.dimensions, ...subject.labels } : { dimensions: {} },
          cell: sum,
          distinct,
          result: () => (countsEvents ? String(sum.n) : rules.result(sum, distinct.size)),
          firstMs: 0,
          lastMs: 0,
        };
        groups.set(key, group);
        takeRoom(key);
      } else {
        merge(group.cell, cell);
      }
      if (value !== '') group.distinct.add(value);
    },
    groups: () =>
      [...groups.values()].map((group) =>
        Object.assign(group, { firstMs: group.cell.firstMs, lastMs: group.cell.lastMs }),
      ),
  };
}

/** A combination that may pass: a value that the query needs is not kept apart from others, and only the events have it. */
export const OPEN = 'open';

/** The grouped values of a combination, or undefined where a filter does not let it pass. */
export type DimensionJudge = (texts: TupleTexts) => DimensionLabels | typeof OPEN | undefined;

export function dimensionJudge(spec: SeriesSpec, query: UsageQuery): DimensionJudge {
  const indexOf = (name: string) => spec.dimensions.findIndex(([other]) => other === name);
  const filters = Object.entries(query.filters).map(([name, filter]) => ({ index: indexOf(name), filter }));
  const grouped = query.groupBy.map((name) => ({ name, index: indexOf(name) }));
  return (texts) => {
    let isOpen = grouped.some(({ index }) => texts[index] === null);
    for (const { index, filter } of filters) {
      const text = texts[index];
      if (text === null) isOpen = true;
      else if (!passesFilter(text ?? '', filter)) return undefined;
    }
    if (isOpen) return OPEN;
    const dimensions = Object.fromEntries(grouped.map(({ name, index }) => [name, texts[index] ?? '']));
    return { key: valuesKey(Object.values(dimensions)), dimensions };
  };
}

/** Which dimensions a query looks at. */
export function neededDimensions(query: UsageQuery): string[] {
  return [...new Set([...query.groupBy, ...Object.keys(query.filters)])];
}
