import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { Clock } from '../../delivery/clock.ts';
import { type Amounts, add, MEASURES, NO_AMOUNTS, type TypeTotals, writeMessage, writeStatus } from './messages.ts';

/** An event as far as it is told of. */
export interface FeedEvent {
  readonly subject: string;
  readonly type: string;
  readonly data: object;
}

/** Tells the enforcing plugin on the same gateway what was used and what of it the backend knows. Never throws. */
export interface UsageFeed {
  /** A request of the subject that was let through has come to its end. */
  logged(subject: string): void;
  /** An event was made and is on its way to the backend. */
  made(ticket: string, event: FeedEvent): void;
  /** Events have arrived there, or never will. */
  settled(tickets: readonly string[]): void;
}

/**
 * Between two attempts to connect; an enforcing plugin server that starts is told within this time. Where none runs, an
 * attempt costs one failing system call.
 */
const CONNECT_EVERY_MS = 200;
/** A change of what dead processes have left is told within this time. */
const STATUS_EVERY_MS = 200;
/** What the feed lags behind at most, and how many messages it saves under load. */
const FLUSH_AFTER_MS = 10;
/**
 * What has arrived within this long before a connection is made is told as if it had been on its way: the enforcing plugin
 * may have asked the backend before that, and could not know of it. Several times what connecting and asking take.
 */
const RECENT_MS = 5000;
const MAX_RECENT = 100_000;
/** More than any gateway has within 200 ms: what comes after them would count as never made. */
const MAX_HAPPENED = 100_000;
/** Past these the oldest are forgotten: they count as arrived, and the enforcing plugin is that much too generous. */
const MAX_SUBJECTS = 50_000;
const MAX_EVENTS = 200_000;
/** An event that waits for longer than this, in a long outage, or that got lost, no longer counts as on its way. */
const FORGET_AFTER_MS = 600_000;
/** A reader that does not read: messages are totals, so those of later make up for it. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;

interface SubjectTotals {
  readonly generation: number;
  logged: number;
  readonly types: Map<string, { made: Amounts; settled: Amounts }>;
}

interface MadeEvent {
  readonly totals: SubjectTotals;
  readonly subject: string;
  readonly type: string;
  readonly amounts: Amounts;
  readonly madeAt: number;
}

interface Settled extends Pick<MadeEvent, 'totals' | 'type' | 'amounts'> {
  readonly at: number;
}

/** @param isAdopting whether this process is delivering what a dead one has left on disk */
export function createUsageFeed(socketPath: string, clock: Clock, isAdopting = () => false): UsageFeed {
  const subjects = new Map<string, SubjectTotals>();
  const events = new Map<string, MadeEvent>();
  const changed = new Set<string>();
  const recent: Settled[] = [];
  /**
   * What happened since the last attempt to connect, while nobody is known to listen: it is gone over when somebody is
   * found, and forgotten when not. Most gateways have no enforcing plugin, and should not pay for one.
   */
  const happened: (() => void)[] = [];
  let socket: Socket | undefined;
  /** Whether there is or was somebody to tell: most gateways have no enforcing plugin. */
  let isWanted = existsSync(socketPath);
  let generations = 0;
  let isFlushing = false;
  let toldAdopting: boolean | undefined;

  function tryToConnect(): void {
    const candidate = connect(socketPath);
    candidate.unref();
    candidate.on('error', () => undefined);
    candidate.on('connect', () => {
      socket = candidate;
      isWanted = true;
      for (const again of happened.splice(0)) again();
      toldAdopting = undefined;
      tellStatus(candidate);
      for (const [subject, totals] of subjects) {
        beginAnew(totals);
        changed.add(subject);
      }
      for (const { totals, type, amounts, at } of recent) {
        const own = totals.types.get(type);
        if (own === undefined || clock.now() - at > RECENT_MS) continue;
        totals.types.set(type, { made: add(own.made, amounts), settled: add(own.settled, amounts) });
      }
      flush();
    });
    candidate.on('close', () => {
      if (!isWanted) forgetAll();
      // What ends from now on is told to the next one.
      if (socket !== undefined) for (const totals of subjects.values()) totals.logged = 0;
      socket = undefined;
      clock.setTimer(tryToConnect, CONNECT_EVERY_MS, { background: true });
    });
  }

  /** Nobody listens yet: who begins to before the next attempt has let nothing through before now. */
  function forgetAll(): void {
    for (const known of [subjects, events, changed]) known.clear();
    recent.length = 0;
    happened.length = 0;
  }

  function tellStatus(to: Socket): void {
    if (socket !== to) return;
    const adopting = isAdopting();
    if (adopting !== toldAdopting) to.write(writeStatus(adopting));
    toldAdopting = adopting;
    clock.setTimer(() => tellStatus(to), STATUS_EVERY_MS, { background: true });
  }

  function totalsOf(subject: string): SubjectTotals {
    const known = subjects.get(subject);
    if (known !== undefined) return known;
    const [oldest] = subjects.keys();
    if (subjects.size >= MAX_SUBJECTS && oldest !== undefined) subjects.delete(oldest);
    const totals: SubjectTotals = { generation: ++generations, logged: 0, types: new Map() };
    subjects.set(subject, totals);
    return totals;
  }

  function touch(subject: string): void {
    changed.add(subject);
    // On connecting, all is told.
    if (isFlushing || socket === undefined) return;
    isFlushing = true;
    clock.setTimer(flush, FLUSH_AFTER_MS, { background: true });
  }

  function flush(): void {
    isFlushing = false;
    if (socket === undefined || socket.writableLength > MAX_UNSENT_BYTES) return;
    const lines: string[] = [];
    for (const subject of changed) {
      const totals = subjects.get(subject);
      if (totals === undefined) continue;
      const types: Record<string, TypeTotals> = Object.fromEntries(totals.types);
      lines.push(writeMessage({ subject, generation: totals.generation, logged: totals.logged, types }));
    }
    changed.clear();
    if (lines.length > 0) socket.write(lines.join(''));
  }

  function settled(tickets: readonly string[]): void {
    for (const ticket of tickets) {
      const event = events.get(ticket);
      if (event === undefined) continue;
      events.delete(ticket);
      const own = event.totals.types.get(event.type);
      if (own === undefined) continue;
      event.totals.types.set(event.type, { made: own.made, settled: add(own.settled, event.amounts) });
      recent.push({ totals: event.totals, type: event.type, amounts: event.amounts, at: clock.now() });
      touch(event.subject);
    }
    // A few at a time, so that no one call has them all to drop.
    const old = recent.findIndex(({ at }) => clock.now() - at <= RECENT_MS);
    const dropped = Math.max(old, recent.length - MAX_RECENT);
    if (dropped > 0) recent.splice(0, dropped);
  }

  function logged(subject: string): void {
    totalsOf(subject).logged++;
    touch(subject);
  }

  function made(ticket: string, { subject, type, data }: FeedEvent): void {
    const totals = totalsOf(subject);
    const amounts = amountsOf(data);
    const own = totals.types.get(type) ?? { made: NO_AMOUNTS, settled: NO_AMOUNTS };
    totals.types.set(type, { made: add(own.made, amounts), settled: own.settled });
    events.set(ticket, { totals, subject, type, amounts, madeAt: clock.now() });
    const [oldest] = events;
    if (oldest !== undefined && (events.size > MAX_EVENTS || clock.now() - oldest[1].madeAt > FORGET_AFTER_MS)) {
      settled([oldest[0]]);
    }
    touch(subject);
  }

  /** @param act what is to be done with what just happened */
  function noteOr(act: () => void): void {
    if (isWanted) act();
    else if (happened.length < MAX_HAPPENED) happened.push(act);
  }

  tryToConnect();
  return {
    logged: (subject) => noteOr(() => logged(subject)),
    made: (ticket, event) => noteOr(() => made(ticket, event)),
    settled: (tickets) => noteOr(() => settled(tickets)),
  };
}

/** What has arrived by now is known from the backend, what has not is on its way. */
function beginAnew(totals: SubjectTotals): void {
  for (const [type, { made, settled }] of totals.types) {
    totals.types.set(type, { made: add(made, settled, -1), settled: NO_AMOUNTS });
  }
}

function amountsOf(data: object): Amounts {
  const fields = data as Readonly<Record<string, unknown>>;
  return MEASURES.map((measure) => {
    if (measure === 'count') return 1;
    const value = fields[measure];
    return typeof value === 'number' && value > 0 ? value : 0;
  });
}
