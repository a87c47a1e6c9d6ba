import {
  type Arrived,
  beginRun,
  compare,
  isAnotherRun,
  type Master,
  type Run,
  readOn,
  type StatusCounts,
  servedBy,
} from './run.ts';

/** The outcome of a request that made an event; all others say why there is none. */
export const METERED = 'metered';

/** Requests by what became of their log entries: `metered`, or why they were not. */
export type Outcomes = Readonly<Record<string, number>>;

/** What a process has counted for plugin instances that were started at one time. */
export interface Generation {
  /** When the first of them was, in milliseconds since the machine started. */
  readonly bornAtMs: number;
  readonly outcomes: Outcomes;
}

/** All that one process has counted. Later ones of a process have a greater `sequence`. */
export interface Tally {
  readonly sequence: number;
  readonly generations: readonly Generation[];
}

export type Tallies = ReadonlyMap<string, Tally>;

interface KnownTally extends Tally {
  /** Since when it has not been found any more. */
  readonly goneAtMs?: number | undefined;
}

/**
 * What one gateway has served, and what became of it, since the account was opened. A value: it is written to disk as it
 * is, and whichever process reads the gateway's status goes on from there.
 */
export interface Account {
  readonly id: string;
  /** Rises with every reading. */
  readonly revision: number;
  /** Names the start of the machine that all instants count from. */
  readonly boot: string;
  /** Readings that were sent since the last one that was answered. */
  readonly unanswered: number;
  readonly run?: Run | undefined;
  /** The one before: its last entries may arrive late. */
  readonly previous?: Run | undefined;
  /** Runs before these, and processes that are gone. */
  readonly past: { readonly served: number; readonly unexplained: number; readonly outcomes: Outcomes };
  readonly tallies: Readonly<Record<string, KnownTally>>;
}

export interface Reading {
  readonly counts: StatusCounts;
  /** undefined = its processes cannot be seen from here. */
  readonly master: Master | undefined;
  /** What all processes had counted right before the reading, and right after it. */
  readonly before: Tallies;
  readonly after: Tallies;
  readonly nowMs: number;
  /** When the one who reads began to. */
  readonly watchedSinceMs: number;
  /** When it was first seen since the last reading that nobody answers there. */
  readonly downAtMs: number | undefined;
}

/** What is told of an account. `served` = all outcomes + `unexplained` + what is on its way. */
export interface AccountReport {
  readonly id: string;
  readonly revision: number;
  readonly served: number;
  readonly outcomes: Outcomes;
  readonly unexplained: number;
}

/**
 * A gateway starts its plugin server with itself, or after the one that was there before it: what it serves until the
 * server listens was lost. One that has run for longer has served what nobody wanted metered.
 */
const STARTED_TOGETHER_MS = 60_000;
/** A process whose folder somebody has removed makes it anew within seconds. */
const GONE_FOR_MS = 600_000;

export function openAccount(id: string, boot: string): Account {
  const past = { served: 0, unexplained: 0, outcomes: {} };
  return { id, revision: 0, boot, unanswered: 0, past, tallies: {} };
}

/** To be kept before a reading is sent: whoever goes on knows that the gateway has counted it. */
export function asking(account: Account, by = 1): Account {
  const { run } = account;
  return {
    ...account,
    unanswered: account.unanswered + by,
    ...(run !== undefined && { run: { ...run, asked: run.asked + by } }),
  };
}

/** It did not reach the gateway. */
export function notAsked(account: Account): Account {
  return asking(account, -1);
}

/** The machine was started anew: nothing of what was is left. What came after the last reading is not known. */
export function afterBoot(account: Account, boot: string): Account {
  if (account.boot === boot) return account;
  const closed = fold(close(close(account)), Object.keys(account.tallies));
  return { ...closed, boot, unanswered: 0 };
}

export function takeReading(account: Account, reading: Reading): Account {
  const { counts, master, nowMs } = reading;
  const known = knownTallies(account, reading.after, nowMs);
  let next: Account = { ...account, tallies: known, revision: account.revision + 1, unanswered: 0 };
  if (next.run !== undefined && !isAnotherRun(next.run, counts, master, reading.downAtMs !== undefined)) {
    next = { ...next, run: readOn(next.run, counts, nowMs, master?.id) };
  } else {
    next = begin({ ...next, unanswered: account.unanswered }, reading);
  }
  const before = { ...next, tallies: newest(account.tallies, reading.before) };
  const arrivedIn = (run: Run): Arrived => ({ before: entriesOf(run, before), after: entriesOf(run, next) });
  const { run, previous } = next;
  next = {
    ...next,
    run: run && compare(run, arrivedIn(run)),
    previous: previous && compare(previous, arrivedIn(previous)),
  };
  return fold(next, namesOfGone(next, nowMs));
}

export function reportOf(account: Account): AccountReport {
  const { id, revision, past, previous, run } = account;
  const runs = [previous, run].filter((one) => one !== undefined);
  const sum = (of: (one: Run) => number) => runs.reduce((total, one) => total + of(one), 0);
  const served = past.served + sum((one) => servedBy(one, entriesOf(one, account)));
  const outcomes = Object.values(account.tallies).reduce(withTally, past.outcomes);
  const unexplained = past.unexplained + sum((one) => one.unexplained);
  // What came before the gateway was first seen was served, too.
  return { id, revision, served: Math.max(served, countOf(outcomes) + unexplained), outcomes, unexplained };
}

/** The gateway has started anew, or is seen for the first time. */
function begin(account: Account, reading: Reading): Account {
  const { counts, master, nowMs, watchedSinceMs, downAtMs } = reading;
  // Where its processes cannot be seen: after the last that was seen of the run before.
  const startedAtMs = master?.startedAtMs ?? downAtMs ?? account.run?.seenAtMs ?? 0;
  const wasSeenToStart =
    account.run !== undefined ||
    (master === undefined ? downAtMs !== undefined : watchedSinceMs - master.startedAtMs <= STARTED_TOGETHER_MS);
  const run = beginRun(counts, {
    master: master?.id,
    startedAtMs: wasSeenToStart ? startedAtMs : 0,
    asked: account.unanswered,
    seenAtMs: nowMs,
  });
  const begun: Account = { ...close(account), unanswered: 0, previous: account.run, run };
  if (wasSeenToStart) return begun;
  return { ...begun, run: { ...run, base: run.finished - entriesOf(run, begun) } };
}

/** Ends the run before the last one, whose entries have all come by now; the last one becomes the one before. */
function close(account: Account): Account {
  const { previous, past, run } = account;
  const served = previous === undefined ? 0 : servedBy(previous, entriesOf(previous, account));
  const unexplained = previous?.unexplained ?? 0;
  return {
    ...account,
    past: { ...past, served: past.served + served, unexplained: past.unexplained + unexplained },
    previous: run,
    run: undefined,
  };
}

function entriesOf(run: Run, { tallies, run: current }: Account): number {
  const isCurrent = run.startedAtMs === current?.startedAtMs;
  const endedAtMs = isCurrent ? Infinity : (current?.startedAtMs ?? Infinity);
  return Object.values(tallies)
    .flatMap(({ generations }) => generations)
    .filter(({ bornAtMs }) => bornAtMs >= run.startedAtMs && bornAtMs < endedAtMs)
    .reduce((sum, { outcomes }) => sum + countOf(outcomes), run.folded);
}

function newest(known: Account['tallies'], found: Tallies): Record<string, KnownTally> {
  const tallies = { ...known };
  for (const [process, tally] of found) {
    const before = tallies[process];
    if (before === undefined || tally.sequence >= before.sequence) tallies[process] = tally;
  }
  return tallies;
}

function knownTallies(account: Account, found: Tallies, nowMs: number): Record<string, KnownTally> {
  const tallies = newest(account.tallies, found);
  for (const [process, tally] of Object.entries(tallies)) {
    const goneAtMs = found.has(process) ? undefined : (tally.goneAtMs ?? nowMs);
    tallies[process] = { sequence: tally.sequence, generations: tally.generations, goneAtMs };
  }
  return tallies;
}

function namesOfGone({ tallies }: Account, nowMs: number): string[] {
  return Object.entries(tallies).flatMap(([process, { goneAtMs }]) =>
    goneAtMs !== undefined && nowMs - goneAtMs >= GONE_FOR_MS ? [process] : [],
  );
}

/** Adds processes that are gone to the sums. */
function fold(account: Account, processes: readonly string[]): Account {
  if (processes.length === 0) return account;
  const names = new Set(processes);
  const [gone, left] = [true, false].map((isGone) =>
    Object.fromEntries(Object.entries(account.tallies).filter(([process]) => names.has(process) === isGone)),
  );
  const ofGone = { ...account, tallies: gone ?? {} };
  const folded = (run: Run | undefined) => run && { ...run, folded: entriesOf(run, ofGone) };
  const outcomes = Object.values(ofGone.tallies).reduce(withTally, account.past.outcomes);
  return {
    ...account,
    past: { ...account.past, outcomes },
    run: folded(account.run),
    previous: folded(account.previous),
    tallies: left ?? {},
  };
}

function withTally(sums: Outcomes, { generations }: Tally): Outcomes {
  return generations.reduce((all, { outcomes }) => addOutcomes(all, outcomes), sums);
}

export function addOutcomes(sums: Outcomes, more: Outcomes): Outcomes {
  const added: Record<string, number> = { ...sums };
  for (const [outcome, count] of Object.entries(more)) added[outcome] = (added[outcome] ?? 0) + count;
  return added;
}

export function countOf(outcomes: Outcomes): number {
  return Object.values(outcomes).reduce((sum, count) => sum + count, 0);
}
