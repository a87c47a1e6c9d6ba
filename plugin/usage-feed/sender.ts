import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { Clock } from '../../delivery/clock.ts';
import { writeStatus } from './messages.ts';
import { type FeedEvent, OwnTotals } from './own-totals.ts';

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
/** More than any gateway has within 200 ms: what comes after them would count as never made. */
const MAX_HAPPENED = 100_000;
/** A reader that does not read: messages are totals, so those of later make up for it. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;

/** @param isAdopting whether this process is delivering what a dead one has left on disk */
export function createUsageFeed(socketPath: string, clock: Clock, isAdopting = () => false): UsageFeed {
  const totals = new OwnTotals(clock, flushSoon);
  /**
   * What happened since the last attempt to connect, while nobody is known to listen: it is gone over when somebody is
   * found, and forgotten when not. Most gateways have no enforcing plugin, and should not pay for one.
   */
  const happened: (() => void)[] = [];
  let socket: Socket | undefined;
  /** Whether there is or was somebody to tell: most gateways have no enforcing plugin. */
  let isWanted = existsSync(socketPath);
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
      totals.beginAnew();
      flush();
    });
    candidate.on('close', () => {
      if (!isWanted) forgetAll();
      // What ends from now on is told to the next one.
      if (socket !== undefined) totals.forgetLogged();
      socket = undefined;
      clock.setTimer(tryToConnect, CONNECT_EVERY_MS, { background: true });
    });
  }

  /** Nobody listens yet: who begins to before the next attempt has let nothing through before now. */
  function forgetAll(): void {
    totals.clear();
    happened.length = 0;
  }

  function tellStatus(to: Socket): void {
    if (socket !== to) return;
    const adopting = isAdopting();
    if (adopting !== toldAdopting) to.write(writeStatus(adopting));
    toldAdopting = adopting;
    clock.setTimer(() => tellStatus(to), STATUS_EVERY_MS, { background: true });
  }

  function flushSoon(): void {
    // On connecting, all is told.
    if (isFlushing || socket === undefined) return;
    isFlushing = true;
    clock.setTimer(flush, FLUSH_AFTER_MS, { background: true });
  }

  function flush(): void {
    isFlushing = false;
    if (socket === undefined || socket.writableLength > MAX_UNSENT_BYTES) return;
    const lines = totals.takeChanged();
    if (lines.length > 0) socket.write(lines.join(''));
  }

  /** @param act what is to be done with what just happened */
  function noteOr(act: () => void): void {
    if (isWanted) act();
    else if (happened.length < MAX_HAPPENED) happened.push(act);
  }

  tryToConnect();
  return {
    logged: (subject) => noteOr(() => totals.logged(subject)),
    made: (ticket, event) => noteOr(() => totals.made(ticket, event)),
    settled: (tickets) => noteOr(() => totals.settled(tickets)),
  };
}
