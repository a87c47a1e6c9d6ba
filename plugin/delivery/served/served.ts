import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../../delivery/clock.ts';
import { newProcessId } from '../../../delivery/names.ts';
import type { RareLog } from '../../../delivery/rare-log.ts';
import { bootId } from '../spool/owner.ts';
import type { AccountReport } from './account.ts';
import { createReader } from './reader.ts';
import { makeRequestsLog } from './requests-log.ts';
import { takeSeat } from './seat.ts';
import { type Counter, createTallyBook } from './tally.ts';

/** Where the gateway writes one byte for each request that it has served. */
export interface RequestsLogSettings {
  readonly path: string;
  readonly intervalMs: number;
}

export interface ServedOptions {
  readonly settings: RequestsLogSettings;
  /** The spool's folder. */
  readonly dir: string;
  readonly node: string;
  readonly clock: Clock;
  readonly rareLog: RareLog;
  readonly onTrouble: (error: unknown) => void;
  /** Told what has been served, if this process is the one to read it. */
  readonly onReport: (report: AccountReport) => void;
}

/** What one gateway has served, against what of it has reached its plugin servers. */
export interface Served {
  /** Counts one request, by what has become of its log entry. */
  readonly count: Counter;
  /** Writes down what has been counted, within the call. Never throws. */
  settle(): void;
  /** Another process is gone: what it had counted last does not count again. Never throws. */
  recall(): void;
  /** Gives the place of the reader to another. */
  close(): Promise<void>;
}

const BEAT_MS = 5000;

/**
 * Counts what reaches this process, and holds the sum of all processes of the gateway against the gateway's own log of
 * requests. One of them reads for all. Never throws.
 */
export function openServed(options: ServedOptions): Served {
  const { settings, node, clock, rareLog, onTrouble } = options;
  const { path, intervalMs } = settings;
  const key = createHash('sha256').update(path).digest('hex').slice(0, 16);
  const folder = join(options.dir, 'served', `${node}~${key}`);
  const boot = bootId();
  attempt(() => mkdirSync(folder, { recursive: true, mode: 0o700 }), onTrouble);
  attempt(() => makeRequestsLog(path), onTrouble);
  const book = createTallyBook({ folder, process: newProcessId(clock), clock, onTrouble });
  const reader = createReader({ ...options, path, intervalMs, folder, boot, book });
  const seat = takeSeat({
    name: folder,
    clock,
    onSeated: reader.begin,
    onTrouble: (code) => {
      const msg = 'the processes of this gateway cannot find one another';
      rareLog.note({ key: msg, level: 'warn', msg, fields: { node, code } });
    },
  });
  let isClosed = false;
  const beat = (): void => {
    if (isClosed) return;
    book.beat();
    clock.setTimer(beat, BEAT_MS, { background: true });
  };
  beat();
  return {
    count: book.count,
    settle: book.settle,
    recall: book.recall,
    async close() {
      isClosed = true;
      await reader.end();
      seat.leave();
      book.close();
    },
  };
}

function attempt(run: () => void, onTrouble: (error: unknown) => void): void {
  try {
    run();
  } catch (error) {
    onTrouble(error);
  }
}
