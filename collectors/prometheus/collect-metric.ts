import { pause } from '../core/source.ts';
import type { Held } from './held.ts';
import type { Metric } from './metric.ts';
import { progressOf } from './progress.ts';
import { type TakeSurroundings, takeWindow } from './take-window.ts';
import type { Progress } from './windows.ts';

export interface MetricSurroundings extends TakeSurroundings {
  /** Told how far it is, before each window. */
  onProgress(name: string, progress: Progress | undefined): void;
  /** Windows that begin there or later are not asked for; undefined = without end. */
  readonly untilMs?: number | undefined;
}

const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 60_000;
/** Who runs it by the clock will come again. */
const ATTEMPTS_ONCE = 4;
/** The clock may be moved while nothing is to be done. */
const LOOK_MS = 1000;

/**
 * Takes one window after another, each when it is over. One that cannot be read stays open and is asked for again; with
 * `once` only some times while nobody answers, and then at the next run.
 * @returns with `once`, why it could not be read to its end
 */
export async function collectMetric(metric: Metric, surroundings: MetricSurroundings): Promise<Held | undefined> {
  const { context, windows, time, onProgress, untilMs = Number.POSITIVE_INFINITY } = surroundings;
  const { clock, cursor, once, signal } = context;
  /** Where this process began, as long as nothing of it is on disk. */
  let begun: Progress | undefined;
  let failures = 0;
  while (!signal.aborted) {
    const known = progressOf(cursor, metric.name);
    const next = windows.next(known ?? begun, time.nowMs());
    onProgress(metric.name, known ?? begun);
    if (next.kind === 'later') {
      if (once) return undefined;
      const waitMs = next.atMs === undefined ? LOOK_MS : Math.max(1, next.atMs - time.nowMs());
      await pause(clock, Math.min(LOOK_MS, waitMs), signal);
      continue;
    }
    if (next.window.fromMs >= untilMs) return undefined;
    begun ??= { sinceMs: next.window.fromMs, upToMs: next.window.fromMs };
    const outcome = await takeWindow(metric, next, known, surroundings);
    context.report({ isReached: outcome.kind === 'taken' || outcome.isReached });
    if (outcome.kind === 'taken') {
      failures = 0;
      continue;
    }
    // Our clock was ahead: where a new collector begins is looked for again.
    if (outcome.isEarly === true) begun = undefined;
    if (once && (outcome.isSilent !== true || failures >= ATTEMPTS_ONCE)) return outcome;
    await pause(clock, Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures++, 10)), signal);
  }
  return undefined;
}
