import type { Clock, Timer } from '../clock.ts';
import { newProcessId } from '../origin.ts';
import type { RareLog } from '../rare-log.ts';
import { codeOf } from '../spool/files.ts';
import { isOwned } from '../spool/owner.ts';
import {
  type Account,
  type AccountReport,
  afterBoot,
  asking,
  notAsked,
  openAccount,
  reportOf,
  type Tallies,
  takeReading,
} from './account.ts';
import { readAccount, writeAccount } from './account-file.ts';
import { masterOf } from './master.ts';
import { createGatewayStatus } from './status.ts';
import type { TallyBook } from './tally.ts';
import { listTallies, readTally, removeTally, removeUnfinished } from './tally-file.ts';

export interface ReaderOptions {
  readonly settings: { readonly url: URL; readonly intervalMs: number };
  readonly folder: string;
  readonly boot: string;
  readonly book: TallyBook;
  readonly clock: Clock;
  readonly uptimeMs: () => number;
  readonly rareLog: RareLog;
  readonly onTrouble: (error: unknown) => void;
  readonly onReport: (report: AccountReport) => void;
}

/** Reads the gateway's status at intervals, and keeps the account. */
export interface StatusWatch {
  begin(): void;
  /** Resolves when nothing is written any more. */
  end(): Promise<void>;
}

/** A connection that the gateway closed at the wrong moment is not worth a line. */
const FAILURES_WORTH_A_LINE = 2;
/** The gateway has hung up, to reload or to end: that is looked at soon. */
const SOON_MS = 1000;
/** What a dead process has written last is kept for as long as Kong may tell its last requests once more. */
const DEAD_FOR_MS = 60_000;
/** Nobody listens there, or there is no way to there: the gateway has not counted such a reading. */
const NOT_REACHED: readonly string[] = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];

export function watchStatus(options: ReaderOptions): StatusWatch {
  const { settings, clock, uptimeMs, rareLog, folder, boot, book } = options;
  const status = createGatewayStatus(settings.url, clock, hurry);
  const watchedSinceMs = uptimeMs();
  const dead = new Map<string, number>();
  let account: Account | undefined;
  let downAtMs: number | undefined;
  let failures = 0;
  let isEnded = false;
  let next: { readonly timer: Timer; readonly dueAt: number } | undefined;
  let looking: Promise<void> = Promise.resolve();

  const note = (level: 'info' | 'warn', msg: string, code?: string) =>
    rareLog.note({ key: msg, level, msg, fields: { host: settings.url.host, code } });

  async function save(state: Account, isSynced: boolean): Promise<void> {
    account = state;
    await writeAccount(folder, state, isSynced).catch(options.onTrouble);
  }

  function tallies(): Tallies {
    const found = listTallies(folder).map((process) => [process, readTally(folder, process)] as const);
    const ours = found.filter(([, tally]) => tally?.boot === boot) as [string, NonNullable<(typeof found)[0][1]>][];
    return new Map([...ours, [book.process, book.written()]]);
  }

  async function read(): Promise<void> {
    const known = afterBoot(account ?? readAccount(folder) ?? openAccount(newProcessId(clock), boot), boot);
    await save(asking(known), false);
    const asked = account ?? known;
    const before = tallies();
    const counts = await status.read().catch(async (error: unknown) => {
      if (NOT_REACHED.includes(codeOf(error))) await save(notAsked(asked), false);
      if (codeOf(error) === 'ECONNREFUSED') downAtMs ??= uptimeMs();
      throw error;
    });
    const after = tallies();
    const nowMs = uptimeMs();
    const master = masterOf(counts.workers);
    await save(takeReading(asked, { counts, master, before, after, nowMs, watchedSinceMs, downAtMs }), true);
    downAtMs = undefined;
  }

  async function look(): Promise<void> {
    next = undefined;
    try {
      await read();
      if (account !== undefined) options.onReport(reportOf(account));
      await sweep();
      if (failures >= FAILURES_WORTH_A_LINE) note('info', "the gateway's status can be read again");
      failures = 0;
    } catch (error) {
      failures++;
      if (failures === FAILURES_WORTH_A_LINE && !isEnded) {
        note('warn', "the gateway's status cannot be read", codeOf(error));
      }
    }
    lookAgainIn(settings.intervalMs);
  }

  /** Removes what dead processes have left, when the account has it. */
  async function sweep(): Promise<void> {
    removeUnfinished(folder, clock.epochMs() - DEAD_FOR_MS);
    for (const process of listTallies(folder)) {
      if (process === book.process || (await isOwned(`${folder}/${process}`, process))) {
        dead.delete(process);
        continue;
      }
      const since = dead.get(process) ?? uptimeMs();
      dead.set(process, since);
      if (uptimeMs() - since < DEAD_FOR_MS) continue;
      removeTally(folder, process);
      dead.delete(process);
    }
  }

  function lookAgainIn(delayMs: number): void {
    if (isEnded) return;
    next?.timer.cancel();
    const timer = clock.setTimer(begin, delayMs, { background: true });
    next = { timer, dueAt: clock.now() + delayMs };
  }

  function begin(): void {
    if (!isEnded) looking = look();
  }

  function hurry(): void {
    if (next !== undefined && next.dueAt - clock.now() > SOON_MS) lookAgainIn(SOON_MS);
  }

  return {
    begin,
    async end() {
      isEnded = true;
      next?.timer.cancel();
      status.close();
      await looking;
    },
  };
}
