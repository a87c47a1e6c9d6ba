import type { Decimal } from 'decimal.js';
import type { SourceRecord } from '../core/source.ts';
import type { Labels } from './answer.ts';
import type { Asking } from './asking.ts';
import { askBirths, picked } from './births.ts';
import { countedFirsts } from './counted-firsts.ts';
import type { CounterParts, CounterSurroundings } from './counter-parts.ts';
import { readCounter, type SeriesOfWindow } from './counter-window.ts';
import { mapped } from './mapped.ts';
import type { Metric, Read } from './metric.ts';
import { NOTHING, plus } from './rises.ts';
import { canonical, metaOf, partsOf, timesOf } from './series-records.ts';
import { createSeriesStates } from './series-states.ts';
import type { CounterSettings } from './settings.ts';
import type { Progress, Window } from './windows.ts';

/** Before its first window a counter looks so far back for the sample that it rises from: as far as Prometheus itself does. */
const BASE_MS = 300_000;
/** A series that comes back after so long is new. */
const FORGET_MS = 31 * 86_400_000;

/**
 * A counter by its raw samples: what each series rose by in a window, from the last sample of the window before, summed by
 * labels. Series that did not rise make no event.
 */
export function createCounterMetric(counter: CounterSettings, surroundings: CounterSurroundings): Metric {
  const { name, selector } = counter;
  const states = createSeriesStates(surroundings.cursor, name, counter.target);
  const parts: CounterParts = { counter, surroundings, states };

  async function read(window: Window, progress: Progress | undefined, asking: Asking): Promise<Read> {
    const sinceMs = (progress?.sinceMs ?? window.fromMs) - BASE_MS;
    const baseFromMs = progress === undefined ? sinceMs : window.fromMs;
    const found = await readCounter(selector, window, baseFromMs, states, asking);
    if (found.kind === 'held') return found;
    const newborn = found.series.filter(({ first }) => first !== undefined);
    const births =
      newborn.length === 0
        ? undefined
        : await askBirths(
            newborn.map(({ labels }) => labels),
            sinceMs,
            window,
            asking,
            counter,
          );
    if (births?.kind === 'held') return births;
    const counted = births === undefined ? [] : countedFirsts(parts, newborn, births, sinceMs, found);
    if (found.odd > 0) noteOdd(name, found.odd, surroundings);
    const groups = groupsOf(found.series, new Set(counted), counter.by);
    const changes = found.series.flatMap(({ key, last, stored }) =>
      last === undefined || last === stored ? [] : [states.changeTo(key, last)],
    );
    const forgotten = states.forgettable(window.toMs - FORGET_MS);
    const changed = new Set(changes.map(({ key }) => key));
    return {
      kind: 'read',
      records: recordsOf(parts, groups, window),
      cursor: [...changes, ...forgotten.filter(({ key }) => !changed.has(key))],
      isEmpty: found.series.length === 0,
    };
  }

  return {
    name,
    query: selector,
    isCarried: true,
    takesParts: true,
    read,
  };
}

/** What the series with the same labels `by` rose by. */
interface Group {
  readonly metric: Labels;
  sum: Decimal;
}

/** @param counted series whose first value counts too */
function groupsOf(
  series: readonly SeriesOfWindow[],
  counted: ReadonlySet<SeriesOfWindow>,
  by: readonly string[],
): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const one of series) {
    const rise = counted.has(one) && one.first !== undefined ? plus(one.rise, one.first.value) : one.rise;
    if (rise.isZero()) continue;
    const metric = picked(one.labels, by);
    const key = canonical(metric);
    const group = groups.get(key) ?? { metric, sum: NOTHING };
    group.sum = group.sum.plus(rise);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** An event for each group, made when it is taken: all at once would need more than the series that they come from. */
function recordsOf(
  { counter, surroundings }: CounterParts,
  groups: readonly Group[],
  window: Window,
): Iterable<SourceRecord> {
  const { name, selector } = counter;
  const { from, timestamp } = timesOf(window);
  const meta = metaOf(name, window, surroundings.queryOffsetMs);
  return mapped(groups, ({ metric, sum }) => ({
    message: {
      name,
      query: selector,
      timestamp,
      from,
      values: [{ metric, value: [window.toMs / 1000, sum.toFixed()] }],
    },
    meta,
    at: from,
    parts: partsOf(name, metric, window),
  }));
}

function noteOdd(name: string, count: number, { collector, rareLog, report }: CounterSurroundings): void {
  report({ incomplete: 'no_number' });
  const msg = 'samples that are no quantities are left out';
  rareLog.note({ key: `${collector} ${name} odd`, level: 'warn', msg, fields: { collector, counter: name }, count });
}
