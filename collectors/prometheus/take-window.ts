import type { CursorChange, SourceContext, SourceRecord } from '../core/source.ts';
import type { Asking, AskingWithin, Coverage } from './asking.ts';
import { type Held, held } from './held.ts';
import { MalformedAnswer } from './malformed-answer.ts';
import type { Metric } from './metric.ts';
import { progressChange } from './progress.ts';
import { timesOf } from './series-records.ts';
import type { SourceTime } from './source-time.ts';
import type { NextWindow, Progress, Window, Windows } from './windows.ts';

export interface TakeSurroundings {
  readonly context: SourceContext;
  readonly windows: Windows;
  readonly time: SourceTime;
  readonly asking: AskingWithin;
  readonly coverage: Coverage;
  /** So long a window in which nothing was scraped is waited for: its samples may come late. */
  readonly waitForSamplesMs: number;
}

type Outcome = { readonly kind: 'taken' } | Held;

/** Why a window will never be known. */
type Reason = 'too_old' | 'no_scrapes' | 'schedule_changed';

const SAID: Readonly<Record<Reason, string>> = {
  too_old: 'they are older than max_age',
  no_scrapes: 'nothing was scraped in them, or the server does not keep them any more',
  schedule_changed: 'the schedule was changed, and the range of the query is another than what is left of them',
};
/** Series of a step: what a mapping makes of them is in memory at once. */
const RECORDS_A_STEP = 1000;

/** Reads a window and commits it with the progress behind it, or gives it up, or leaves it open. */
export function takeWindow(
  metric: Metric,
  next: Exclude<NextWindow, { kind: 'later' }>,
  known: Progress | undefined,
  surroundings: TakeSurroundings,
): Promise<Outcome> {
  // Series are read from their answer as they are mapped: it is there until they are on disk.
  return surroundings.asking.within((asking) => takeWith(asking, metric, next, known, surroundings));
}

async function takeWith(
  asking: Asking,
  metric: Metric,
  { kind, window }: Exclude<NextWindow, { kind: 'later' }>,
  known: Progress | undefined,
  surroundings: TakeSurroundings,
): Promise<Outcome> {
  const { context, windows } = surroundings;
  const progress = { sinceMs: known?.sinceMs ?? window.fromMs, upToMs: window.toMs };
  const gap =
    known?.gapFromMs === undefined
      ? []
      : [gapOf(metric, { fromMs: known.gapFromMs, toMs: window.fromMs }, 'no_scrapes')];
  const finish = (records: Iterable<SourceRecord>, cursor: readonly CursorChange[], after: Partial<Progress> = {}) =>
    takeAll(records, [...cursor, progressChange(metric.name, { ...progress, ...after })], context);

  const lost =
    kind === 'too old' ? 'too_old' : metric.takesParts || windows.isWhole(window) ? undefined : 'schedule_changed';
  if (lost !== undefined) {
    note(metric, window, lost, context);
    return finish([...gap, gapOf(metric, window, lost)], []);
  }
  const read = await unlessMalformed(metric.read(window, known, asking));
  if (read.kind === 'held') return noteHeld(metric, window, read, context);
  const isCovered = read.isEmpty ? await coveredBy(asking, metric, window, surroundings) : true;
  if (typeof isCovered !== 'boolean') return noteHeld(metric, window, isCovered, context);
  if (isCovered) return finish(withGap(read.records, gap), read.cursor);
  note(metric, window, 'no_scrapes', context);
  // Told as one when it is over: while a server is down for a night there are hundreds.
  return finish([], read.cursor, { gapFromMs: metric.isCarried ? undefined : (known?.gapFromMs ?? window.fromMs) });
}

/** Answers are looked at piece by piece, so what is wrong with one may come up anywhere. */
async function unlessMalformed<T>(reading: Promise<T>): Promise<T | Held> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof MalformedAnswer) return held(error.message, false);
    throw error;
  }
}

/** Nothing is no answer where nothing was scraped. */
async function coveredBy(
  asking: Asking,
  { isCarried }: Metric,
  window: Window,
  { coverage, time, waitForSamplesMs }: TakeSurroundings,
): Promise<boolean | Held> {
  const isCovered = await unlessMalformed(coverage.isCovered(window, asking));
  if (isCovered !== false) return isCovered;
  // A counter makes up with its next sample what comes late.
  const isWaitedFor = !isCarried && time.nowMs() - window.toMs < waitForSamplesMs;
  return isWaitedFor ? held('nothing was scraped in the window so far') : false;
}

/** All records, and in the last transaction of them the cursor: what a kill makes be read again has the ids that it had. */
async function takeAll(
  records: Iterable<SourceRecord>,
  cursor: readonly CursorChange[],
  { take }: SourceContext,
): Promise<{ readonly kind: 'taken' }> {
  let step: SourceRecord[] = [];
  for (const record of records) {
    if (step.length >= RECORDS_A_STEP) {
      await take({ records: step });
      step = [];
    }
    step.push(record);
  }
  await take({ records: step, cursor });
  return { kind: 'taken' };
}

/** The gap last, so that it stands in the transaction of the cursor: dead letters have no ids. */
function* withGap(records: Iterable<SourceRecord>, gap: readonly SourceRecord[]): Generator<SourceRecord> {
  yield* records;
  yield* gap;
}

/** Makes no event, and so is kept as a dead letter, and stands in the ledger. */
function gapOf({ name, query }: Metric, window: Window, reason: Reason): SourceRecord {
  const { from, timestamp } = timesOf(window);
  return {
    message: { name, query, from, timestamp },
    problem: `the windows from ${from} to ${timestamp} are not known: ${SAID[reason]}`,
    parts: [name, 'gap', from, timestamp],
  };
}

function note({ name: query, isCarried }: Metric, window: Window, reason: Reason, context: SourceContext): void {
  const { name, rareLog, report } = context;
  report({ incomplete: reason });
  const made = isCarried ? 'but for resets, the next sample of each series makes up for them' : undefined;
  const fields = { collector: name, query, ...timesOf(window), why: SAID[reason], ...(made !== undefined && { made }) };
  rareLog.note({ key: `${name} ${query} ${reason}`, level: 'error', msg: 'windows will never be known', fields });
}

function noteHeld({ name: query }: Metric, window: Window, outcome: Held, { name, rareLog }: SourceContext): Held {
  if (outcome.isEarly !== true) {
    const fields = { collector: name, query, ...timesOf(window), reason: outcome.reason };
    rareLog.note({
      key: `${name} ${query} held`,
      level: 'warn',
      msg: 'a window cannot be read, and is tried again',
      fields,
    });
  }
  return outcome;
}
