/** The outcome of a request that made an event; all others say why there is none. */
export const METERED = 'metered';

/** Requests by what became of their log entries: `metered`, or why they were not. */
export type Outcomes = Readonly<Record<string, number>>;

/** All that one process has counted. Later ones of a process have a greater `sequence`. */
export interface Tally {
  readonly sequence: number;
  readonly outcomes: Outcomes;
}

export type Tallies = ReadonlyMap<string, Tally>;

interface KnownTally extends Tally {
  /** Readings for which it has not been found any more. */
  readonly goneFor: number;
}

/** The gateway's log of requests: one byte each. */
export interface RequestsLog {
  /** Names the file among those that have had its path. */
  readonly file: string;
  readonly size: number;
}

/**
 * What one gateway has served, and what became of it, since the account was opened. A value: it is written to disk as it
 * is, and whichever process reads the log goes on from there. No clock is in it.
 */
export interface Account {
  readonly id: string;
  /** Rises with every reading. */
  readonly revision: number;
  /** Names the start of the machine. */
  readonly boot: string;
  /** As it was read last. */
  readonly log: RequestsLog | undefined;
  readonly served: number;
  /** What of `served` was before anybody counted. */
  readonly base: number;
  /** The last differences: `served` less the entries that had arrived right after, and right before, the reading. */
  readonly lows: readonly number[];
  readonly highs: readonly number[];
  /** Requests of which no entry has arrived. */
  readonly unexplained: number;
  /** What processes had counted that are gone. */
  readonly past: Outcomes;
  readonly tallies: Readonly<Record<string, KnownTally>>;
}

export interface Reading {
  readonly boot: string;
  readonly log: RequestsLog;
  /** The log was begun just before: all of it was served while somebody was to count. */
  readonly isLogNew: boolean;
  /** What all processes had counted right before the reading, and right after it. */
  readonly before: Tallies;
  readonly after: Tallies;
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
 * So many readings in a row must show that something is missing, or that nothing is: requests whose entries are on
 * their way are different ones in each. At the usual interval that is longer than a server that hangs lives.
 */
const OBSERVATIONS = 3;
/** A process whose file somebody has removed makes it anew within seconds. At the usual interval, ten minutes. */
const GONE_FOR_READINGS = 120;

export function openAccount(id: string, boot: string): Account {
  const sums = { served: 0, base: 0, unexplained: 0, past: {}, tallies: {} };
  return { id, revision: 0, boot, log: undefined, lows: [], highs: [], ...sums };
}

export function takeReading(account: Account, reading: Reading): Account {
  const { before, after, boot, log } = reading;
  const known = newest(account.tallies, before);
  const next: Account = {
    ...account,
    revision: account.revision + 1,
    boot,
    log,
    served: account.served + bytesSince(account, reading),
    tallies: withGone(newest(account.tallies, after), after),
  };
  return foldGone(compare(rebase(account, next, reading), entriesOf({ ...next, tallies: known })));
}

/** Somebody, and be it this process, has cut off what is there after it was read. */
export function afterTruncation(account: Account, sizeBefore: number): Account {
  const { log } = account;
  if (log === undefined) return account;
  return { ...account, served: account.served + sizeBefore - log.size, log: { ...log, size: 0 } };
}

export function reportOf(account: Account): AccountReport {
  const { id, revision, base, unexplained } = account;
  const outcomes = outcomesOf(account);
  // Some have arrived since the log was read.
  const served = Math.max(account.served - base, countOf(outcomes) + unexplained);
  return { id, revision, served, outcomes, unexplained };
}

function bytesSince({ log: last, boot }: Account, { log, boot: bootNow }: Reading): number {
  if (last === undefined || last.file !== log.file) return log.size;
  if (log.size >= last.size) return log.size - last.size;
  // Cut off; or, when the machine went down, not all of it had come to the disk.
  return boot === bootNow ? log.size : 0;
}

/**
 * Where nobody knows what belongs together: the log was there before anybody counted; or the machine went down, and of
 * what came after the last reading some of the counts, and some of the log, may be lost.
 */
function rebase(account: Account, next: Account, { isLogNew, boot }: Reading): Account {
  const isUnknown = account.log === undefined ? !isLogNew : account.boot !== boot;
  if (!isUnknown) return next;
  return { ...next, base: next.served - entriesOf(next) - next.unexplained, lows: [], highs: [] };
}

/**
 * Compares what was served with what has arrived. Whatever has arrived before a reading was served by then: `high` is
 * never less than what is lost. `low` is that less what came in during the reading, and so never more than what is lost
 * and what is on its way.
 */
function compare(account: Account, arrivedBefore: number): Account {
  const lows = [...account.lows, account.served - entriesOf(account)].slice(-OBSERVATIONS);
  const highs = [...account.highs, account.served - arrivedBefore].slice(-OBSERVATIONS);
  if (lows.length < OBSERVATIONS) return { ...account, lows, highs };
  const most = Math.max(...highs);
  // More has arrived than was served: then less was served before anybody counted, or something was counted twice.
  const base = Math.min(account.base, most);
  const atLeast = Math.max(account.unexplained, Math.min(...lows) - base);
  return { ...account, lows, highs, base, unexplained: Math.max(0, Math.min(atLeast, most - base)) };
}

function newest(known: Account['tallies'], found: Tallies): Record<string, KnownTally> {
  const tallies = { ...known };
  for (const [process, { sequence, outcomes }] of found) {
    const last = tallies[process];
    if (last === undefined || sequence >= last.sequence) tallies[process] = { sequence, outcomes, goneFor: 0 };
  }
  return tallies;
}

function withGone(tallies: Account['tallies'], found: Tallies): Record<string, KnownTally> {
  return Object.fromEntries(
    Object.entries(tallies).map(([process, tally]) => [
      process,
      { ...tally, goneFor: found.has(process) ? 0 : tally.goneFor + 1 },
    ]),
  );
}

/** Adds processes that are gone to the sums. */
function foldGone(account: Account): Account {
  const isGone = ({ goneFor }: KnownTally) => goneFor > GONE_FOR_READINGS;
  const all = Object.entries(account.tallies);
  const gone = all.filter(([, tally]) => isGone(tally));
  if (gone.length === 0) return account;
  const past = gone.reduce((sums, [, { outcomes }]) => addOutcomes(sums, outcomes), account.past);
  return { ...account, past, tallies: Object.fromEntries(all.filter(([, tally]) => !isGone(tally))) };
}

function outcomesOf({ past, tallies }: Account): Outcomes {
  return Object.values(tallies).reduce((sums, { outcomes }) => addOutcomes(sums, outcomes), past);
}

function addOutcomes(sums: Outcomes, more: Outcomes): Outcomes {
  const added: Record<string, number> = { ...sums };
  for (const [outcome, count] of Object.entries(more)) added[outcome] = (added[outcome] ?? 0) + count;
  return added;
}

function entriesOf(account: Account): number {
  return countOf(outcomesOf(account));
}

function countOf(outcomes: Outcomes): number {
  return Object.values(outcomes).reduce((sum, count) => sum + count, 0);
}
