import type { Clock, Timer } from '../../../delivery/clock.ts';
import { newProcessId } from '../../../delivery/names.ts';
import type { RareLog } from '../../../delivery/rare-log.ts';
import { codeOf } from '../spool/files.ts';
import {
  type Account,
  type AccountReport,
  afterTruncation,
  openAccount,
  reportOf,
  type Tallies,
  takeReading,
} from './account.ts';
import { readAccount, writeAccount } from './account-file.ts';
import { readRequestsLog, truncateRequestsLog } from './requests-log.ts';
import { createSweep } from './sweep.ts';
import type { TallyBook } from './tally.ts';
import { listTallies, readTally } from './tally-file.ts';

export interface ReaderOptions {
  readonly path: string;
  readonly intervalMs: number;
  readonly folder: string;
  readonly boot: string;
  readonly book: TallyBook;
  readonly clock: Clock;
  readonly rareLog: RareLog;
  readonly onTrouble: (error: unknown) => void;
  readonly onReport: (report: AccountReport) => void;
}

/** Reads the gateway's log of requests at intervals, and keeps the account. */
export interface Reader {
  begin(): void;
  /** Resolves when nothing is written any more. */
  end(): Promise<void>;
}

/** A log that is not there yet is not worth a line. */
const FAILURES_WORTH_A_LINE = 3;
/** Of the log: sixteen million requests. */
const MAX_LOG_BYTES = 16 * 1024 * 1024;

export function createReader(options: ReaderOptions): Reader {
  const { path, clock, rareLog, folder, boot, book } = options;
  const sweep = createSweep(folder, book.process, clock);
  let account: Account | undefined;
  let written = '';
  let failures = 0;
  let isEnded = false;
  let timer: Timer | undefined;
  let looking: Promise<void> = Promise.resolve();

  const note = (level: 'info' | 'warn', msg: string, code?: string) =>
    rareLog.note({ key: msg, level, msg, fields: { path, code } });

  /** A revision that nobody goes on from must not be told: so one in which nothing is new is none. */
  async function save(state: Account): Promise<Account> {
    const telling = JSON.stringify({ ...state, revision: 0 });
    if (telling === written && account !== undefined) return account;
    account = state;
    try {
      await writeAccount(folder, state);
      written = telling;
    } catch (error) {
      options.onTrouble(error);
    }
    return state;
  }

  async function read(): Promise<void> {
    const known = account ?? readAccount(folder) ?? openAccount(newProcessId(clock), boot);
    const before = talliesOf(folder, book);
    const { log, isNew } = readRequestsLog(path, clock.epochMs());
    const after = talliesOf(folder, book);
    // Made by this process, and nobody else knows of it: then nothing can be said of what was served.
    if (log.size === 0 && known.served === 0 && isAnyCounted(after)) throw notWritten(path);
    const next = takeReading(known, { boot, log, isLogNew: isNew, before, after });
    const saved = await save(next);
    options.onReport(reportOf(saved));
    if (log.size > MAX_LOG_BYTES && !isEnded) await cutOff(saved);
  }

  async function cutOff(state: Account): Promise<void> {
    let sizeBefore: number;
    try {
      sizeBefore = truncateRequestsLog(path);
    } catch (error) {
      return note('warn', "the gateway's log of requests is large, and cannot be cut off", codeOf(error));
    }
    await save(afterTruncation(state, sizeBefore));
  }

  async function look(): Promise<void> {
    try {
      await read();
      if (failures >= FAILURES_WORTH_A_LINE) note('info', "the gateway's log of requests can be read again");
      failures = 0;
    } catch (error) {
      failures++;
      if (failures === FAILURES_WORTH_A_LINE)
        note('warn', "the gateway's log of requests cannot be read", codeOf(error));
    }
    await sweep(account);
    if (!isEnded) timer = clock.setTimer(begin, options.intervalMs, { background: true });
  }

  function begin(): void {
    if (!isEnded) looking = look();
  }

  return {
    begin,
    async end() {
      isEnded = true;
      timer?.cancel();
      await looking;
    },
  };
}

function talliesOf(folder: string, book: TallyBook): Tallies {
  const found = listTallies(folder).flatMap((process) => {
    const tally = readTally(folder, process);
    return tally === undefined ? [] : [[process, tally] as const];
  });
  return new Map([...found, [book.process, book.written()]]);
}

function isAnyCounted(tallies: Tallies): boolean {
  return [...tallies.values()].some(({ outcomes }) => Object.keys(outcomes).length > 0);
}

function notWritten(path: string): Error {
  return Object.assign(new Error(path), { code: 'NOT_WRITTEN' });
}
