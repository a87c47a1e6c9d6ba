/** What the gateway's status says at one moment. The reading itself is in `total` and in `writing`. */
export interface StatusCounts {
  /** Requests that the gateway has begun since it started. */
  readonly total: number;
  /** Of them, those whose head is being read, and those that are not over. */
  readonly reading: number;
  readonly writing: number;
  readonly accepted: number;
  readonly handled: number;
  /** Process ids of the gateway's workers, as they see themselves. */
  readonly workers: readonly number[];
}

/** The process that all workers of a gateway are children of: it lives from a start to a stop, also through reloads. */
export interface Master {
  /** No other run of any gateway of this machine has it. */
  readonly id: string;
  /** In milliseconds since the machine started. */
  readonly startedAtMs: number;
}

/**
 * One run of the gateway, from start to stop: nginx counts from 0 in each. Instants are in milliseconds since the
 * machine started: no clock that is set changes them.
 */
export interface Run {
  readonly master: string | undefined;
  /** Plugin instances that were started from then on belong to this run. */
  readonly startedAtMs: number;
  readonly last: Pick<StatusCounts, 'total' | 'accepted' | 'handled' | 'workers'>;
  /** When it was read last. */
  readonly seenAtMs: number;
  /** Readings that have been sent, the last one included. */
  readonly asked: number;
  /** Workers that have ended: each had one request of its own, to the worker that passes on events. */
  readonly workersEnded: number;
  /** Requests that are over, without those of the gateway itself and our readings. */
  readonly finished: number;
  /** Entries of processes that are gone. */
  readonly folded: number;
  /** What of `finished` was before anybody counted. */
  readonly base: number;
  /** The last differences: `finished` less the entries that had arrived right after, and right before, the reading. */
  readonly lows: readonly number[];
  readonly highs: readonly number[];
  /** Requests of which no entry has arrived. */
  readonly unexplained: number;
}

/** Entries of a run that had arrived before and after a reading. */
export interface Arrived {
  readonly before: number;
  readonly after: number;
}

/**
 * So many readings in a row must show that something is missing, or that nothing is: requests whose entries are on
 * their way are different ones in each. At the shortest usual interval that is longer than a server that hangs lives.
 */
const OBSERVATIONS = 3;

export function beginRun(
  counts: StatusCounts,
  { master, startedAtMs, asked, seenAtMs }: Pick<Run, 'master' | 'startedAtMs' | 'asked' | 'seenAtMs'>,
): Run {
  const begun: Run = {
    master,
    startedAtMs,
    last: counts,
    seenAtMs,
    asked,
    workersEnded: 0,
    finished: 0,
    folded: 0,
    base: 0,
    lows: [],
    highs: [],
    unexplained: 0,
  };
  return readOn(begun, counts, seenAtMs);
}

/**
 * Whether the counts cannot be of this run any more.
 * @param wasDown nobody has listened at the status for a moment, as never in a run, but for one whose port was changed
 */
export function isAnotherRun(run: Run, counts: StatusCounts, master: Master | undefined, wasDown: boolean): boolean {
  if (run.master !== undefined && master !== undefined) return run.master !== master.id;
  const { total, accepted, handled, workers } = run.last;
  if (wasDown && !workers.some((pid) => counts.workers.includes(pid))) return true;
  return counts.total < total || counts.accepted < accepted || counts.handled < handled;
}

export function readOn(run: Run, counts: StatusCounts, nowMs: number, master = run.master): Run {
  const { total, reading, writing, accepted, handled, workers } = counts;
  const ended = run.last.workers.filter((pid) => !workers.includes(pid)).length;
  const workersEnded = run.workersEnded + ended;
  return {
    ...run,
    master,
    last: { total, accepted, handled, workers },
    seenAtMs: nowMs,
    workersEnded,
    // This reading is not over: it is among those that are written.
    finished: total - reading - writing - (run.asked - 1) - workersEnded,
  };
}

/**
 * Compares what was served with what has arrived. Whatever has arrived before a reading was over by then: `high` is never
 * less than what is lost. `low` is that less what came in during the reading, and so never more than what is lost and
 * what is on its way.
 */
export function compare(run: Run, arrived: Arrived): Run {
  const lows = [...run.lows, run.finished - arrived.after].slice(-OBSERVATIONS);
  const highs = [...run.highs, run.finished - arrived.before].slice(-OBSERVATIONS);
  if (lows.length < OBSERVATIONS) return { ...run, lows, highs };
  const most = Math.max(...highs);
  // More has arrived than was served: then less was served before anybody counted, or something was counted twice.
  const base = Math.min(run.base, most);
  const atLeast = Math.max(run.unexplained, Math.min(...lows) - base);
  return { ...run, lows, highs, base, unexplained: Math.max(0, Math.min(atLeast, most - base)) };
}

/** What the run has served at least, given what has arrived. */
export function servedBy(run: Run, arrived: number): number {
  return Math.max(run.finished - run.base, arrived + run.unexplained);
}
