import type { Decimal } from 'decimal.js';
import type { RareLog } from '../../delivery/rare-log.ts';
import type { Cursor, SourceRecord, SourceReport } from '../core/source.ts';
import type { Labels } from './answer.ts';
import type { Asking } from './asking.ts';
import { askBirths, type Births, picked } from './births.ts';
import { type CounterRead, readCounter, type SeriesOfWindow } from './counter-window.ts';
import { judgeFirst, lastBelow } from './first-values.ts';
import type { Metric, Read } from './metric.ts';
import { NOTHING, plus } from './rises.ts';
import { canonical, metaOf, partsOf, timesOf } from './series-records.ts';
import { createSeriesStates, type SeriesStates } from './series-states.ts';
import type { CounterSettings } from './settings.ts';
import type { Progress, Window } from './windows.ts';

export interface CounterSurroundings {
  readonly queryOffsetMs: number;
  readonly collector: string;
  readonly cursor: Cursor;
  readonly rareLog: RareLog;
  report(report: SourceReport): void;
}

/** Before its first window a counter looks so far back for the sample that it rises from: as far as Prometheus itself does. */
const BASE_MS = 300_000;
/** A series that comes back after so long is new. */
const FORGET_MS = 31 * 86_400_000;
/** A process whose first scrape came so soon after its start had been scraped by nobody else. */
const YOUNG_MS = 600_000;

/**
 * A counter by its raw samples: what each series rose by in a window, from the last sample of the window before, summed by
 * labels. Series that did not rise make no event.
 */
export function createCounterMetric(counter: CounterSettings, surroundings: CounterSurroundings): Metric {
  const { name, selector } = counter;
  const states = createSeriesStates(surroundings.cursor, name, counter.target);

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
    const counted = births === undefined ? [] : countedFirsts(newborn, births, sinceMs, found);
    const records = recordsOf(found, new Set(counted), window);
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

  function countedFirsts(
    newborn: readonly SeriesOfWindow[],
    births: Births,
    sinceMs: number,
    { series }: CounterRead,
  ): readonly SeriesOfWindow[] {
    const neighbours = neighboursOf(newborn, series, states);
    const verdicts = newborn.map(({ key, labels, first }) => {
      const firstMs = first?.atMs ?? 0;
      const { otherMs, lastsMs } = neighbours.get(key.target) ?? NO_NEIGHBOURS;
      return judgeFirst({
        firstMs,
        sinceMs,
        scrapedMs: lastBelow(births.scrapesOf(labels), firstMs),
        otherMs,
        wentMs: lastBelow(lastsMs, firstMs),
        bornMs: births.createdOf(labels) ?? youngProcess(births.processOf(labels), firstMs),
      });
    });
    for (const verdict of ['relabelled', 'unknown'] as const) {
      const count = verdicts.filter((one) => one === verdict).length;
      if (count > 0) noteBase(verdict, count);
    }
    return newborn.filter((_one, index) => verdicts[index] === 'counts');
  }

  function noteBase(verdict: 'relabelled' | 'unknown', count: number): void {
    surroundings.report({ incomplete: `first_value_${verdict}` });
    surroundings.rareLog.note({
      key: `${surroundings.collector} ${name} ${verdict}`,
      level: 'warn',
      msg: 'first values of new series are not counted',
      fields: { collector: surroundings.collector, counter: name, why: WHY[verdict] },
      count,
    });
  }

  function recordsOf(
    { series, odd }: CounterRead,
    counted: ReadonlySet<SeriesOfWindow>,
    window: Window,
  ): SourceRecord[] {
    if (odd > 0) {
      surroundings.report({ incomplete: 'no_number' });
      const fields = { collector: surroundings.collector, counter: name };
      const msg = 'samples that are no quantities are left out';
      surroundings.rareLog.note({
        key: `${surroundings.collector} ${name} odd`,
        level: 'warn',
        msg,
        fields,
        count: odd,
      });
    }
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

  return {
    name,
    query: selector,
    isCarried: true,
    takesParts: true,
    read,
  };
}

const WHY = {
  relabelled: 'others of their target went in the same scrape: they may be the same under new labels',
  unknown: 'nothing says that they began after this collector did',
} as const;

function youngProcess(startMs: number | undefined, firstMs: number): number | undefined {
  return startMs !== undefined && startMs <= firstMs && firstMs - startMs <= YOUNG_MS ? startMs : undefined;
}

/** The series of a target, the newborn itself among them: it is neither earlier than itself, nor has it gone. */
interface Neighbours {
  readonly otherMs: number | undefined;
  /** The last scrapes that saw them, in order. */
  readonly lastsMs: readonly number[];
}

const NO_NEIGHBOURS: Neighbours = { otherMs: undefined, lastsMs: [] };

/** By target: what is on disk of it, and what this window has. */
function neighboursOf(newborn: readonly SeriesOfWindow[], series: readonly SeriesOfWindow[], states: SeriesStates) {
  const found = new Map<string, Neighbours>();
  const byTarget = Map.groupBy(series, ({ key }) => key.target);
  for (const target of new Set(newborn.map(({ key }) => key.target))) {
    const here = byTarget.get(target) ?? [];
    const seen = new Set(here.map(({ key }) => key.key));
    const stored = states.ofTarget(target).filter(({ key }) => !seen.has(key));
    const storedMs = stored.map(({ sample }) => sample.atMs);
    const firstsMs = here.flatMap(({ before, first }) => before?.atMs ?? first?.atMs ?? []);
    const otherMs = [...storedMs, ...firstsMs].reduce((least, ms) => Math.min(least, ms), Number.POSITIVE_INFINITY);
    const lastsMs = [...storedMs, ...here.flatMap(({ last }) => last?.atMs ?? [])].sort((a, b) => a - b);
    found.set(target, { otherMs, lastsMs });
  }
  return found;
}
