import type { Decimal } from 'decimal.js';
import type { SourceRecord } from '../core/source.ts';
import type { Labels } from './answer.ts';
import type { Asking } from './asking.ts';
import { askBirths, picked } from './births.ts';
import { countedFirsts } from './counted-firsts.ts';
import type { CounterParts, CounterSurroundings } from './counter-parts.ts';
import { type CounterRead, readCounter, type SeriesOfWindow } from './counter-window.ts';
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
    const records = recordsOf(parts, found, new Set(counted), window);
    const changes = found.series.flatMap(({ key, last, stored }) =>
      last === undefined || last === stored ? [] : [states.changeTo(key, last)],
    );
    const forgotten = states.forgettable(window.toMs - FORGET_MS);
    const changed = new Set(changes.map(({ key }) => key));
    return {
      kind: 'read',
      records,
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

/**
 * An event for each group of labels that rose.
 * @param counted series whose first value counts too
 */
function recordsOf(
  { counter, surroundings }: CounterParts,
  { series, odd }: CounterRead,
  counted: ReadonlySet<SeriesOfWindow>,
  window: Window,
): SourceRecord[] {
  const { name, selector } = counter;
  if (odd > 0) noteOdd(name, odd, surroundings);
  const groups = new Map<string, { readonly metric: Labels; sum: Decimal }>();
  for (const one of series) {
    const rise = counted.has(one) && one.first !== undefined ? plus(one.rise, one.first.value) : one.rise;
    if (rise.isZero()) continue;
    const metric = picked(one.labels, counter.by);
    const key = canonical(metric);
    const group = groups.get(key) ?? { metric, sum: NOTHING };
    group.sum = group.sum.plus(rise);
    groups.set(key, group);
  }
  const { from, timestamp } = timesOf(window);
  const meta = metaOf(name, window, surroundings.queryOffsetMs);
  return [...groups.values()].map(({ metric, sum }) => ({
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
