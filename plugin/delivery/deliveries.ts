import type { Clock } from '../../delivery/clock.ts';
import { createLog, type LogSink } from '../../delivery/log.ts';
import { defaultNode } from '../../delivery/names.ts';
import { createRareLog } from '../../delivery/rare-log.ts';
import { createLedger, type DeliveryCounters } from './ledger.ts';
import { createDurations, type Durations, type Snapshot, snapshotOf } from './metrics.ts';
import { type Common, type OpenedDelivery, openDeliveryAtWork, type ToldByOne } from './opened-delivery.ts';
import { successorOf } from './retirement.ts';
import type { AccountReport } from './served/account.ts';
import {
  checkSettings,
  type Deliverable,
  type Delivery,
  type DeliverySettings,
  type OnSettled,
  settingsKey,
} from './settings.ts';
import type { SpoolFiles } from './spool/files.ts';
import { openSpool, type Spool, type SpoolSettings } from './spool/spool.ts';

/** All deliveries of a process; index.ts has the one of production. */
export interface Deliveries {
  open(settings: DeliverySettings): Delivery;
  reportDrop(reason: string, count?: number, detail?: string): void;
  /** Has told what the gateway served, by the first Delivery. */
  tellAccount(report: AccountReport): void;
  counters(): DeliveryCounters;
  /** Whether events of a process that is dead are being looked for, or delivered. */
  isAdopting(): boolean;
  /** Whether any of them could send a whole batch, and has not yet. */
  isBehind(): boolean;
  /** What the metrics tell. */
  snapshot(): Snapshot;
  /** Hands to the operating system, within the call, what has been pushed: it outlives the process. Never throws. */
  flush(): void;
  /** Puts on disk, within the call, whatever is to be there: for a process that is about to end. */
  secure(): void;
  stop(deadlineMs: number): Promise<void>;
}

export interface DeliveriesOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly sink: LogSink;
  /** The machine, as its operator calls it; by default its host name. */
  readonly node?: string | undefined;
  /** undefined = events are kept in memory only. */
  readonly spool?: SpoolSettings | undefined;
  /** Told which events were dealt with. */
  readonly onSettled?: OnSettled | undefined;
  /** The machine's, unless a test has others. */
  readonly files?: SpoolFiles | undefined;
}

/** Kong never says that a configuration is gone, so from this many on the queues that nobody has used lately are closed. */
const MANY_QUEUES = 64;
const UNUSED_AFTER_MS = 600_000;
/** How often it is looked whether a process has died, and whether there is anything to report. */
const TICK_MS = 5000;

const NOTHING_TO_TELL: ToldByOne = { dropped: () => ({}), account: () => undefined };

interface Opened {
  readonly delivery: Delivery;
  readonly work: OpenedDelivery;
}

interface State {
  readonly common: Common;
  /** What was dropped without any Delivery. */
  readonly reported: Common['ledger'];
  readonly opened: Map<string, Opened>;
  /** Deliveries that are being closed. */
  readonly ending: Set<Promise<void>>;
  readonly syncs: Durations;
  account: AccountReport | undefined;
  isTicking: boolean;
}

export function createDeliveries(options: DeliveriesOptions): Deliveries {
  const { clock, random, sink, node = defaultNode() } = options;
  const log = createLog(sink);
  const rareLog = createRareLog(log, clock);
  const ledger = createLedger(rareLog);
  const spool = options.spool && openSpool({ settings: options.spool, clock, ledger, rareLog, files: options.files });
  const syncs = createDurations();
  const { onSettled } = options;
  const common = { clock, random, node, ledger, rareLog, spool, onSynced: syncs.add, onSettled };
  const reported = ledger.scope();
  const state: State = {
    common,
    reported,
    opened: new Map(),
    ending: new Set(),
    syncs,
    account: undefined,
    isTicking: false,
  };
  let stopping: Promise<void> | undefined;

  function openNew(key: string, settings: DeliverySettings): Opened {
    // The first tells what belongs to none of them, and so it stays.
    const isFirst = state.opened.size === 0;
    const told = isFirst ? { dropped: reported.dropped, account: () => state.account } : NOTHING_TO_TELL;
    const work = openDeliveryAtWork(settings, common, told);
    // Looks its queue up each time: an instance that wakes after its queue was closed gets a new one.
    const push = (event: Deliverable) => (state.opened.get(key) ?? openNew(key, settings)).work.push(event);
    const entry = { delivery: { push: safely(push, common) }, work };
    state.opened.set(key, entry);
    if (work.heir !== undefined) spool?.adoption.add(work.heir);
    closeUnused(state);
    startTicking(state, () => stopping !== undefined);
    // Stopped at once, so that whatever is pushed is counted as what it is.
    if (stopping !== undefined) void work.stop(0);
    else void spool?.adoption.run();
    return entry;
  }

  async function stopAll(deadlineMs: number): Promise<void> {
    spool?.adoption.stop();
    await Promise.all(Array.from(state.opened.values(), ({ work }) => work.stop(deadlineMs)));
    await Promise.all(state.ending);
    await spool?.deadLetters.close();
    rareLog.flush();
    const { taken, sent, dropped, waiting } = countersOf(state);
    const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    log('info', 'delivery stopped', { taken, sent, dropped: lost, on_disk: spool && waiting });
  }

  return {
    open(settings) {
      checkSettings(settings);
      const key = settingsKey(settings);
      return (state.opened.get(key) ?? openNew(key, structuredClone(settings))).delivery;
    },
    reportDrop: (reason, count = 1, detail) => reported.drop(reason, count, { detail }),
    tellAccount(report) {
      state.account = report;
    },
    counters: () => countersOf(state),
    isAdopting: () => spool?.adoption.isBusy() ?? false,
    isBehind() {
      for (const { work } of state.opened.values()) if (work.queue.isBehind) return true;
      return false;
    },
    snapshot: () => snapshotOf({ ...common, syncs, opened: works(state), account: state.account }),
    flush() {
      for (const { work } of state.opened.values()) work.queue.store.flush();
    },
    secure() {
      for (const { queue } of works(state)) queue.store.secure();
    },
    stop(deadlineMs) {
      stopping ??= stopAll(deadlineMs);
      return stopping;
    },
  };
}

function works({ opened }: State): OpenedDelivery[] {
  return Array.from(opened.values(), ({ work }) => work);
}

function countersOf(state: State): DeliveryCounters {
  const { taken, adopted, sent, retried } = state.common.ledger.totals;
  const waiting = works(state).reduce((sum, { held }) => sum + held, 0);
  return { taken, adopted, sent, retried, waiting, dropped: state.common.ledger.dropped() };
}

function closeUnused(state: State): void {
  const { opened, common } = state;
  if (opened.size <= MANY_QUEUES) return;
  const now = common.clock.now();
  for (const [key, { work }] of [...opened].slice(1)) {
    if (work.held > 0 || work.adopted.size > 0 || now - work.lastPushAt < UNUSED_AFTER_MS) continue;
    close(key, work, state);
  }
}

function close(key: string, work: OpenedDelivery, { opened, ending, common }: State): void {
  opened.delete(key);
  if (work.heir !== undefined) common.spool?.adoption.remove(work.heir);
  const ended = work.stop(0).finally(() => ending.delete(ended));
  ending.add(ended);
}

function startTicking(state: State, isStopping: () => boolean): void {
  if (state.isTicking) return;
  state.isTicking = true;
  const again = () => state.common.clock.setTimer(tick, TICK_MS, { background: true });
  async function tick(): Promise<void> {
    if (isStopping()) return;
    await lookAround(state);
    again();
  }
  if (state.common.spool !== undefined) void survey(state, state.common.spool);
  again();
}

async function lookAround(state: State): Promise<void> {
  const { clock, spool } = state.common;
  for (const work of works(state)) work.tick();
  if (spool === undefined) return;
  for (const [key, { work }] of [...state.opened]) {
    const successor = successorOf(work, works(state), clock.now());
    const name = work.heir?.name;
    if (successor?.heir === undefined || name === undefined) continue;
    spool.adoption.bequeath(name, successor.heir);
    close(key, work, state);
  }
  await survey(state, spool);
  await spool.adoption.run();
}

function survey(state: State, spool: Spool): Promise<void> {
  const own = works(state).flatMap(({ heir }) => heir?.name ?? []);
  return spool.survey(new Set(own));
}

function safely(push: Delivery['push'], { ledger }: Common): Delivery['push'] {
  return (event) => {
    try {
      return push(event);
    } catch (error) {
      // Out of memory, or a caller that TypeScript does not check: the log phase of a request must go on.
      ledger.drop('internal_error', 1, { cause: error instanceof Error ? error.name : 'unknown' });
      return undefined;
    }
  };
}
