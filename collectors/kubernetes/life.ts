/** What is metered of an object's life, and how a new look at it changes what is known. Pure; all instants in milliseconds. */

/** A container's run, or the time in which an object that is no pod is there. */
export interface Run {
  readonly container: string;
  readonly kind: 'container' | 'sidecar' | 'init';
  readonly startMs: number;
  /** undefined = it runs. */
  readonly endMs?: number;
  /** The API did not tell the end. */
  readonly isEstimated?: true;
}

/** The object as it was from an instant on: what a mapping sees, and what a change of begins another event. */
export interface Version {
  /** undefined = from the beginning. */
  readonly sinceMs?: number;
  readonly body: Body;
}

export type Body = Readonly<Record<string, unknown>>;

/** What is known of one object. */
export interface Life {
  readonly createdMs: number;
  /** Nothing before counts: it was not selected, or not there to be billed. */
  readonly fromMs?: number;
  readonly scheduledMs?: number;
  /** By then it has to have ended. */
  readonly deletionMs?: number;
  /** It has ended for good, then. */
  readonly endMs?: number;
  /** How often its containers began anew, as far as the API has said. */
  readonly restarts?: number;
  /** In order of their beginning; one at least. */
  readonly versions: readonly Version[];
  readonly runs: readonly Run[];
}

/** One look at an object. */
export interface Look {
  readonly createdMs: number;
  readonly scheduledMs?: number | undefined;
  readonly deletionMs?: number | undefined;
  readonly body: Body;
  /** Runs of which the API says something. */
  readonly runs: readonly Run[];
  /** It will never run again, whatever its runs say. */
  readonly isOver: boolean;
  /** When it ended, where something other than a run's end tells. */
  readonly overMs?: number | undefined;
  /** How often containers began anew, in all. */
  readonly restarts?: number;
}

/** What surrounds a look. */
export interface Moment {
  /** When what is seen happened: the write's own instant, or else when it came. */
  readonly changedMs: number;
  /** Up to when the object was seen as it was known before; what ends without a word of when is counted up to here. */
  readonly aliveMs: number;
  /** By now, by the source's clock. */
  readonly nowMs: number;
  /** Up to when events have been made of it; what is known later changes nothing of them. */
  readonly sentMs: number;
}

/** Words for what can never be made right; for the log and the metric. */
export type Flaw =
  | 'end_estimated'
  | 'restarts_missed'
  | 'sent_too_long'
  | 'sent_too_short'
  | 'clock'
  | 'too_many_changes';

export interface Changed {
  readonly life: Life;
  readonly flaws: readonly Flaw[];
}

/** Instants are of whole seconds, and clocks are set right now and then. */
const TOLERANCE_MS = 5000;
/** Changes and runs that wait to be counted; more in a slice than anything real has. */
const MAX_VERSIONS = 100;
const MAX_RUNS = 1000;

/** The first look. */
export function begin(look: Look, moment: Moment, fromMs: number | undefined): Changed {
  const { createdMs, body } = look;
  const blank: Life = { createdMs, versions: [{ body }], runs: [], ...(fromMs !== undefined && { fromMs }) };
  return change(blank, look, moment);
}

/** A further look at it. */
export function change(life: Life, look: Look, moment: Moment): Changed {
  const flaws = new Set<Flaw>();
  const runs = joined(life, look, moment, flaws);
  // Of a pod that is older than what is still counted, nobody asks.
  const isOurs = life.restarts !== undefined || look.createdMs >= moment.sentMs;
  if (isOurs && (look.restarts ?? 0) - (life.restarts ?? 0) > restartsSeen(life, look)) flaws.add('restarts_missed');
  const { scheduledMs = life.scheduledMs, deletionMs = life.deletionMs } = look;
  const changed: Life = {
    ...life,
    ...(scheduledMs !== undefined && { scheduledMs }),
    ...(deletionMs !== undefined && { deletionMs }),
    ...(look.restarts !== undefined && { restarts: look.restarts }),
    versions: versionsOf(life, look.body, moment, flaws),
    runs,
  };
  const ended = look.isOver ? end(changed, look.overMs, moment, flaws) : changed;
  return { life: ended, flaws: [...flaws] };
}

/** It is gone: what still ran ends, by its deadline where that is past. */
export function endGone(life: Life, moment: Moment): Changed {
  const flaws = new Set<Flaw>();
  return { life: end(life, undefined, moment, flaws), flaws: [...flaws] };
}

function end(life: Life, overMs: number | undefined, moment: Moment, flaws: Set<Flaw>): Life {
  if (life.endMs !== undefined) return life;
  const { deletionMs } = life;
  const isPast = deletionMs !== undefined && deletionMs <= moment.aliveMs;
  const guess = Math.min(overMs ?? (isPast ? deletionMs : moment.aliveMs), moment.nowMs);
  const runs = life.runs.map((run) => {
    if (run.endMs !== undefined) return run;
    if (overMs === undefined) flaws.add('end_estimated');
    return closed(run, guess, overMs === undefined, moment, flaws);
  });
  const last = runs.reduce((latest, { endMs = 0 }) => Math.max(latest, endMs), 0);
  return { ...life, runs, endMs: runs.length === 0 ? Math.max(guess, life.createdMs) : last };
}

function closed(run: Run, endMs: number, isEstimated: boolean, { sentMs }: Moment, flaws: Set<Flaw>): Run {
  if (endMs < sentMs && run.startMs < sentMs) flaws.add('sent_too_long');
  const { container, kind, startMs } = run;
  return { container, kind, startMs, endMs: Math.max(startMs, endMs), ...(isEstimated && { isEstimated }) };
}

/** What was known of runs with what is seen of them now. */
function joined(life: Life, look: Look, moment: Moment, flaws: Set<Flaw>): readonly Run[] {
  const keyOf = ({ container, startMs }: Run) => `${startMs} ${container}`;
  const known = new Map(life.runs.map((run) => [keyOf(run), run]));
  for (const seen of look.runs) {
    const run = bounded(seen, life, moment, flaws);
    const before = known.get(keyOf(run));
    // An end that has been guessed stays one until the API tells it.
    if (before?.endMs !== undefined && run.endMs === undefined) continue;
    const isLate = before === undefined && life.runs.length > 0 && run.startMs < moment.sentMs;
    if (isLate && run.startMs > (life.fromMs ?? 0) && run.endMs !== run.startMs) flaws.add('sent_too_short');
    const isNews = before !== undefined && before.endMs === undefined && run.endMs !== undefined;
    known.set(keyOf(run), isNews ? closed(run, run.endMs ?? 0, false, moment, flaws) : run);
  }
  const seenKeys = new Set(look.runs.map(keyOf));
  const all = [...known.values()].map((run) => {
    if (run.endMs !== undefined || seenKeys.has(keyOf(run)) || look.isOver) return run;
    // It ran, and now the API speaks of another run, or of none: it ended without a word of when.
    flaws.add('end_estimated');
    const next = look.runs.filter(({ container, startMs }) => container === run.container && startMs > run.startMs);
    const latest = next.reduce((least, { startMs }) => Math.min(least, startMs), moment.aliveMs);
    return closed(run, latest, true, moment, flaws);
  });
  if (all.length > MAX_RUNS) flaws.add('too_many_changes');
  return all.toSorted((a, b) => a.startMs - b.startMs).slice(-MAX_RUNS);
}

/** Runs that are new, and not the first of their container: only the latest two of each are in the API. */
function restartsSeen(life: Life, look: Look): number {
  const known = new Set(life.runs.map(({ container, startMs }) => `${startMs} ${container}`));
  const begun = new Set(life.runs.map(({ container }) => container));
  let count = 0;
  for (const { container, startMs, kind } of look.runs) {
    if (kind !== 'container' || known.has(`${startMs} ${container}`)) continue;
    if (begun.has(container)) count++;
    begun.add(container);
  }
  return count;
}

/** No run is longer than its object has been there, whatever the clock of a node says. */
function bounded(run: Run, life: Life, { nowMs }: Moment, flaws: Set<Flaw>): Run {
  const { startMs, endMs } = run;
  if (endMs === undefined) return run;
  const most = startMs + longestMs(life, nowMs);
  if (endMs >= startMs && endMs <= most) return run;
  flaws.add('clock');
  return { ...run, endMs: Math.max(startMs, Math.min(endMs, most)) };
}

function longestMs({ createdMs }: Life, nowMs: number): number {
  return Math.max(0, nowMs - createdMs) + TOLERANCE_MS;
}

/** Up to when a run counts, as far as is known at an instant. */
export function countedUpTo(run: Run, life: Life, nowMs: number): number {
  if (run.endMs !== undefined) return run.endMs;
  // A node that is lost leaves its pods "running" beyond their deadline for as long as nobody removes it.
  return Math.min(run.startMs + longestMs(life, nowMs), life.deletionMs ?? Number.POSITIVE_INFINITY);
}

/** A change is another version from its instant on, unless nothing has been counted of the one before. */
function versionsOf(life: Life, body: Body, moment: Moment, flaws: Set<Flaw>): readonly Version[] {
  const last = life.versions.at(-1);
  if (last === undefined || JSON.stringify(last.body) === JSON.stringify(body)) return life.versions;
  const begun = Math.min(
    life.runs.reduce((least, { startMs }) => Math.min(least, startMs), Number.POSITIVE_INFINITY),
    life.scheduledMs ?? Number.POSITIVE_INFINITY,
  );
  const changedMs = Math.max(Math.min(moment.changedMs, moment.nowMs), last.sinceMs ?? 0, moment.sentMs);
  const before = life.versions.slice(0, -1);
  if (changedMs <= begun || changedMs === last.sinceMs) return [...before, { ...last, body }];
  if (life.versions.length >= MAX_VERSIONS) {
    flaws.add('too_many_changes');
    return [...before, { ...last, body }];
  }
  return [...life.versions, { sinceMs: changedMs, body }];
}

/** Without what lies before an instant and has been counted; the runs that the API still speaks of stay known. */
export function pruned(life: Life, sentMs: number): Life {
  const current = life.versions.findLastIndex(({ sinceMs = 0 }) => sinceMs <= sentMs);
  const latest = new Map<string, number>();
  for (const { container, startMs } of life.runs) latest.set(container, startMs);
  const runs = life.runs.filter(
    ({ container, startMs, endMs }, index) =>
      endMs === undefined ||
      endMs > sentMs ||
      latest.get(container) === startMs ||
      // The one before the last: the API tells of it, and it must not look like one that was missed.
      life.runs.slice(index + 1).filter((other) => other.container === container).length === 1,
  );
  if (current <= 0 && runs.length === life.runs.length) return life;
  return { ...life, versions: life.versions.slice(Math.max(0, current)), runs };
}
