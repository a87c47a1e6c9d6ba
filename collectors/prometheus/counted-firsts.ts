import type { Births } from './births.ts';
import type { CounterParts } from './counter-parts.ts';
import type { CounterRead, SeriesOfWindow } from './counter-window.ts';
import { judgeFirst, lastBelow } from './first-values.ts';
import type { SeriesStates } from './series-states.ts';

/** A process whose first scrape came so soon after its start had been scraped by nobody else. */
const YOUNG_MS = 600_000;

/** Those of the newborn series whose first value counts: it rose from nothing, and since this collector began. */
export function countedFirsts(
  parts: CounterParts,
  newborn: readonly SeriesOfWindow[],
  births: Births,
  sinceMs: number,
  { series }: CounterRead,
): readonly SeriesOfWindow[] {
  const neighbours = neighboursOf(newborn, series, parts.states);
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
    if (count > 0) noteBase(parts, verdict, count);
  }
  return newborn.filter((_one, index) => verdicts[index] === 'counts');
}

function noteBase({ counter, surroundings }: CounterParts, verdict: 'relabelled' | 'unknown', count: number): void {
  surroundings.report({ incomplete: `first_value_${verdict}` });
  surroundings.rareLog.note({
    key: `${surroundings.collector} ${counter.name} ${verdict}`,
    level: 'warn',
    msg: 'first values of new series are not counted',
    fields: { collector: surroundings.collector, counter: counter.name, why: WHY[verdict] },
    count,
  });
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
