import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { endpointKey, newProcessId } from '../origin.ts';
import type { RareLog } from '../rare-log.ts';
import { bootId } from '../spool/owner.ts';
import type { AccountReport } from './account.ts';
import { readAccount } from './account-file.ts';
import { watchStatus } from './reader.ts';
import { takeSeat } from './seat.ts';
import { type Counter, createTallyBook } from './tally.ts';

/** Where the gateway tells how many requests it has served. */
export interface GatewayStatusSettings {
  readonly url: URL;
  readonly intervalMs: number;
}

export interface ServedOptions {
  readonly settings: GatewayStatusSettings;
  /** The spool's folder. */
  readonly dir: string;
  readonly node: string;
  readonly clock: Clock;
  /** Milliseconds since the machine started. */
  readonly uptimeMs: () => number;
  readonly rareLog: RareLog;
  readonly onTrouble: (error: unknown) => void;
  /** Told what has been served, if this process is the one to read it. */
  readonly onReport: (report: AccountReport) => void;
}

/** What one gateway has served, against what of it has reached its plugin servers. */
export interface Served {
  /** For a plugin instance that has just been started: counts what becomes of its requests. */
  openCounter(): Counter;
  /** Writes down what has been counted, within the call. Never throws. */
  settle(): void;
  /** Gives the place of the reader to another. */
  close(): Promise<void>;
}

const BEAT_MS = 5000;

/**
 * Counts what reaches this process, and holds the sum of all processes of the gateway against the gateway's own count.
 * One of them reads for all. Never throws.
 */
export function openServed(options: ServedOptions): Served {
  const { settings, node, clock, uptimeMs, rareLog, onTrouble } = options;
  const folder = join(options.dir, 'served', `${node}~${endpointKey(settings.url)}`);
  const boot = bootId();
  const runStarts = () => {
    const account = readAccount(folder);
    return [account?.previous, account?.run].flatMap((run) => (run === undefined ? [] : [run.startedAtMs]));
  };
  makeFolder(folder, onTrouble);
  const book = createTallyBook({
    folder,
    process: newProcessId(clock),
    boot,
    clock,
    uptimeMs,
    runStarts,
    onTrouble,
  });
  const watch = watchStatus({ ...options, folder, boot, book });
  const seat = takeSeat({
    name: `${folder} ${settings.url.href}`,
    clock,
    onSeated: watch.begin,
    onTrouble: (code) => {
      const msg = 'the processes of this gateway cannot find one another';
      rareLog.note({ key: msg, level: 'warn', msg, fields: { host: settings.url.host, node, code } });
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
    openCounter: book.openCounter,
    settle: book.settle,
    async close() {
      isClosed = true;
      await watch.end();
      seat.leave();
      book.close();
    },
  };
}

function makeFolder(folder: string, onTrouble: (error: unknown) => void): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    onTrouble(error);
  }
}
