import { connect, type Socket } from 'node:net';
import type { Clock } from '../delivery/clock.ts';
import { type Amounts, add, MEASURES, NO_AMOUNTS, type TypeTotals, writeMessage } from './messages.ts';

/** Tells the enforcing plugin on the same gateway what was used and what of it the backend knows. Never throws. */
export interface UsageFeed {
  /** A request of the subject that was let through has come to its end. */
  logged(subject: string): void;
  /** An event was made and is on its way to the backend. */
  made(event: { readonly id: string; readonly subject: string; readonly type: string; readonly data: object }): void;
  /** Events have arrived there, or never will. */
  settled(ids: readonly string[]): void;
}

/**
 * Between two attempts to connect; an enforcing plugin server that starts is told within this time. Where none runs, an
 * attempt costs one failing system call.
 */
const CONNECT_EVERY_MS = 500;
/** What the feed lags behind at most, and how many messages it saves under load. */
const FLUSH_AFTER_MS = 10;
/** Past these the oldest are forgotten: they count as arrived, and the enforcing plugin is that much too generous. */
const MAX_SUBJECTS = 50_000;
const MAX_EVENTS = 200_000;
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
}

export function createUsageFeed(socketPath: string, clock: Clock): UsageFeed {
  const subjects = new Map<string, SubjectTotals>();
  const events = new Map<string, MadeEvent>();
  const changed = new Set<string>();
  let socket: Socket | undefined;
  /** Nothing is counted until there is somebody to tell: most gateways have no enforcing plugin. */
  let isWanted = false;
  let generations = 0;
  let isFlushing = false;

  function tryToConnect(): void {
    const candidate = connect(socketPath);
    candidate.unref();
    candidate.on('error', () => undefined);
    candidate.on('connect', () => {
      socket = candidate;
      isWanted = true;
      for (const subject of subjects.keys()) changed.add(subject);
      flush();
    });
    candidate.on('close', () => {
      socket = undefined;
      clock.setTimer(tryToConnect, CONNECT_EVERY_MS, { background: true });
    });
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
    if (isFlushing) return;
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

  tryToConnect();
  return {
    logged(subject) {
      if (!isWanted) return;
      totalsOf(subject).logged++;
      touch(subject);
    },
    made({ id, subject, type, data }) {
      if (!isWanted) return;
      const totals = totalsOf(subject);
      const amounts = amountsOf(data);
      const own = totals.types.get(type) ?? { made: NO_AMOUNTS, settled: NO_AMOUNTS };
      totals.types.set(type, { made: add(own.made, amounts), settled: own.settled });
      events.set(id, { totals, subject, type, amounts });
      const [oldest] = events.keys();
      if (events.size > MAX_EVENTS && oldest !== undefined) this.settled([oldest]);
      touch(subject);
    },
    settled(ids) {
      for (const id of ids) {
        const event = events.get(id);
        if (event === undefined) continue;
        events.delete(id);
        const own = event.totals.types.get(event.type);
        if (own === undefined) continue;
        event.totals.types.set(event.type, { made: own.made, settled: add(own.settled, event.amounts) });
        touch(event.subject);
      }
    },
  };
}

function amountsOf(data: object): Amounts {
  const fields = data as Readonly<Record<string, unknown>>;
  return MEASURES.map((measure) => {
    if (measure === 'count') return 1;
    const value = fields[measure];
    return typeof value === 'number' && value > 0 ? value : 0;
  });
}
