import { setImmediate } from 'node:timers/promises';
import type { Decimal } from 'decimal.js';
import type { Labels, Sampled } from './answer.ts';
import type { Asking } from './asking.ts';
import { type Held, held } from './held.ts';
import { durationOf } from './promql.ts';
import { NOTHING, risesOf, type Sample } from './rises.ts';
import { SERIES_A_TURN } from './series-records.ts';
import type { SeriesKey, SeriesStates } from './series-states.ts';
import type { Window } from './windows.ts';

/** One series in a window. */
export interface SeriesOfWindow {
  readonly labels: Labels;
  readonly key: SeriesKey;
  /** The last sample before the window; undefined = nobody has seen it before. */
  readonly before: Sample | undefined;
  /** What the cursor has of it. */
  readonly stored: Sample | undefined;
  /** Then this is its first, which is no part of `rise`. */
  first: Sample | undefined;
  last: Sample | undefined;
  rise: Decimal;
}

export interface CounterRead {
  readonly kind: 'counter';
  readonly series: readonly SeriesOfWindow[];
  /** Samples that are no quantities. */
  readonly odd: number;
}

/** With their samples they are in memory at once. */
const MAX_SERIES = 50_000;
/** Of samples a window is asked for in halves while an answer is too large, down to this. */
const LEAST_MS = 1000;

/**
 * Reads the raw samples of a window, in pieces as small as the server and our memory need, and counts what each series rose by.
 * @param baseFromMs where looking for what they rise from begins; the start of the window = it is on disk
 */
export async function readCounter(
  selector: string,
  window: Window,
  baseFromMs: number,
  states: SeriesStates,
  asking: Asking,
): Promise<CounterRead | Held> {
  const series = new Map<string, SeriesOfWindow>();
  const pieces: Window[] = [{ fromMs: baseFromMs, toMs: window.toMs }];
  let odd = 0;
  for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
    const { fromMs, toMs } = piece;
    const answer = await asking.ask(`${selector}[${durationOf(toMs - fromMs)}]`, piece);
    if (answer === 'too large') {
      if (toMs - fromMs <= LEAST_MS) return held('one second has more series than can be read: narrow the selector');
      const middle = fromMs + Math.floor((toMs - fromMs) / 2000) * 1000;
      const cut = middle > fromMs ? middle : fromMs + LEAST_MS;
      pieces.unshift({ fromMs, toMs: cut }, { fromMs: cut, toMs });
      continue;
    }
    if (answer.kind === 'held') return answer;
    if (answer.kind !== 'samples') return held('the selector does not give raw samples');
    let read = 0;
    for (const one of answer.series) {
      if (++read % SERIES_A_TURN === 0) await setImmediate();
      const key = states.keyOf(one.metric);
      const known = series.get(key.key) ?? startOf(one, key, window, states);
      const risen = risesOf(known.last, one.values, { fromMs: window.fromMs, toMs });
      odd += risen.odd;
      series.set(key.key, known);
      Object.assign(known, { first: known.first ?? risen.first, last: risen.last, rise: known.rise.plus(risen.rise) });
      if (series.size > MAX_SERIES) return held(`the selector has more than ${MAX_SERIES} series: narrow it`);
    }
  }
  return { kind: 'counter', series: [...series.values()], odd };
}

/** From what is on disk or, in a first window, from the last sample before it. */
function startOf(
  { metric, values }: Sampled,
  key: SeriesKey,
  { fromMs }: Window,
  states: SeriesStates,
): SeriesOfWindow {
  const stored = states.get(key);
  const base = stored ?? risesOf(undefined, values, { fromMs: Number.NEGATIVE_INFINITY, toMs: fromMs }).last;
  return { labels: metric, key, before: base, stored, first: undefined, last: base, rise: NOTHING };
}
