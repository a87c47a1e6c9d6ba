import { join } from 'node:path';
import type { Clock } from '../../delivery/clock.ts';
import { newProcessId } from '../../delivery/names.ts';
import type { RareLog } from '../../delivery/rare-log.ts';
import { createDeliveryQueue, type DeliveryQueue } from './delivery-queue.ts';
import type { OnLost } from './event-store.ts';
import { addCounts, type Ledger } from './ledger.ts';
import { createMemoryStore } from './memory-store.ts';
import { createOrigin, endpointKey, type NumberingOrigin, type Origin, ticketOf } from './origin.ts';
import { checkSettings, type Deliverable, type DeliverySettings, type OnSettled, type Ticket } from './settings.ts';
import { openAdoptedStore } from './spool/adopted-store.ts';
import type { Heir } from './spool/adoption.ts';
import { createFolderSlot, type FolderSlot } from './spool/folder-slot.ts';
import { folderName } from './spool/folders.ts';
import type { Spool } from './spool/spool.ts';
import { createSpoolStore, type SpoolStore } from './spool/spool-store.ts';

/** What all Deliveries of a process have in common. */
export interface Common {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly node: string;
  readonly ledger: Ledger;
  readonly rareLog: RareLog;
  /** undefined = events are kept in memory only. */
  readonly spool: Spool | undefined;
  /** Told how long each sync of the spool took. */
  readonly onSynced: (tookMs: number) => void;
  /** Told which events were dealt with. */
  readonly onSettled?: OnSettled | undefined;
}

/** What a process has to tell once, whatever Deliveries it has. */
export interface ToldByOne {
  /** What was dropped without any Delivery. */
  dropped(): Readonly<Record<string, number>>;
  /** What the gateway has served. */
  account(): Origin['account'];
}

/** One Delivery at work: what is pushed to it, and what it has taken over from dead processes. */
export interface OpenedDelivery {
  readonly settings: DeliverySettings;
  readonly queue: DeliveryQueue;
  /** The queues of what it has taken over; one as a rule, none without a spool. */
  readonly adopted: ReadonlySet<DeliveryQueue>;
  /** The face towards the spool; undefined without one. */
  readonly heir: (Heir & { readonly name: string | undefined }) | undefined;
  readonly openedAt: number;
  /** When the last event was pushed, or when it was opened. */
  readonly lastPushAt: number;
  /** Events held, those that it has taken over included; after `stop`, those that it has left on disk. */
  readonly held: number;
  push(event: Deliverable): Ticket | undefined;
  /** To be called every few seconds. */
  tick(): void;
  stop(deadlineMs: number): Promise<void>;
}

const MAX_SEGMENT_BYTES = 8 * 1024 * 1024;
const MIN_SEGMENT_BYTES = 64 * 1024;
/** Delivered events free their bytes a segment at a time, so a small spool has small ones. */
const SEGMENT_SHARE = 1 / 16;
/** For the last report about what was taken over: nobody waits for it. */
const LAST_REPORT_MS = 5000;
/** What is taken over comes on top of `maxEntries`: so much of it in memory as keeps the sender busy. */
const ADOPTED_ENTRIES = 1000;

/**
 * @param told what belongs to no Delivery, and is to be told by this one
 * @throws TypeError when the settings cannot work; see {@link checkSettings}.
 */
export function openDeliveryAtWork(settings: DeliverySettings, common: Common, told: ToldByOne): OpenedDelivery {
  const { clock, spool } = common;
  const ledger = common.ledger.scope();
  const url = checkSettings(settings);
  const origin = createOrigin(
    { node: common.node, process: newProcessId(clock) },
    () => addCounts(ledger.dropped(), told.dropped()),
    told.account,
  );
  const onLost: OnLost = (reason, count) => ledger.drop(reason, count, { endpoint: url.origin });
  const spooled = spool && openStore(settings, url, origin, onLost, { ...common, spool }, () => queue.run());
  const store = spooled?.store ?? createMemoryStore(boundsOf(settings), origin, onLost);
  const durable = spool && { deadLetters: spool.deadLetters, catchUp: spool.catchUpOf(endpointKey(url)) };
  const queue: DeliveryQueue = createDeliveryQueue(settings, { ...common, ledger, store, durable });
  const warn = createWarning(url.origin, settings, store, common);
  const estate = spool && createEstate(settings, url, { ...common, spool }, queue.reportOn);
  const openedAt = clock.now();
  let lastPushAt = openedAt;
  let isStopping = false;

  return {
    settings,
    queue,
    adopted: estate?.queues ?? new Set(),
    heir: estate && spooled && heirOf(settings, url, spooled, estate),
    openedAt,
    get lastPushAt() {
      return lastPushAt;
    },
    get held() {
      return store.held + (estate?.held ?? 0);
    },
    push(event) {
      common.ledger.totals.taken++;
      const number = origin.next();
      if (isStopping && !store.outlivesProcess) {
        ledger.drop('shutdown', 1, { endpoint: url.origin });
        return undefined;
      }
      lastPushAt = clock.now();
      durable?.catchUp.credit(1);
      store.push(event, number, lastPushAt);
      warn();
      queue.afterPush();
      return ticketOf(origin.process, number);
    },
    tick() {
      spooled?.store.beat();
      queue.report();
    },
    async stop(deadlineMs) {
      isStopping = true;
      await Promise.all([queue.stop(deadlineMs), estate?.stop(deadlineMs)]);
      // Only now: whoever sees that nobody owns the folder takes it with all that was adopted into it.
      await spooled?.store.release();
    },
  };
}

interface Spooled {
  readonly store: SpoolStore;
  readonly slot: FolderSlot;
}

type WithSpool = Common & { readonly spool: Spool };

function boundsOf({ queue }: DeliverySettings) {
  return { maxEntries: queue.maxEntries, maxBytes: queue.maxBytes ?? Infinity };
}

function openStore(
  settings: DeliverySettings,
  url: URL,
  origin: NumberingOrigin,
  onLost: OnLost,
  { clock, spool, rareLog, ledger, onSynced }: WithSpool,
  onReadable: () => void,
): Spooled {
  const { dir, maxBytes, syncMs } = spool.settings;
  const { files, budget, trouble } = spool;
  const name = folderName(origin, settings.token);
  const slot = createFolderSlot(join(dir, endpointKey(url)), name, clock, files);
  const store = createSpoolStore({
    files,
    clock,
    budget,
    bounds: boundsOf(settings),
    origin,
    slot,
    syncMs,
    segmentBytes: Math.min(MAX_SEGMENT_BYTES, Math.max(MIN_SEGMENT_BYTES, maxBytes * SEGMENT_SHARE)),
    onLost,
    onReadable,
    onSynced,
    onSpooled: () => void ledger.totals.spooled++,
    onTrouble: trouble,
    onRecovered: () => rareLog.note({ key: 'spool recovered', level: 'info', msg: 'the spool takes events again' }),
  });
  return { store, slot };
}

/** Says once that a store is nearly full, and again when it has not been so in between. */
function createWarning(
  endpoint: string,
  { queue }: DeliverySettings,
  store: OpenedDelivery['queue']['store'],
  { rareLog, spool }: Common,
): () => void {
  let isWarned = false;
  return () => {
    const { warning } = store;
    if (warning !== undefined && !isWarned) {
      const bounds = { max_entries: queue.maxEntries, max_bytes: queue.maxBytes };
      const fields = { endpoint, waiting: store.held, ...bounds, spool_max_bytes: spool?.budget.maxBytes };
      rareLog.note({ key: `${store.origin.process} ${warning}`, level: 'warn', msg: warning, fields });
    }
    isWarned = warning !== undefined;
  };
}

/** What a Delivery has taken over. */
interface Estate {
  readonly queues: ReadonlySet<DeliveryQueue>;
  /** Events in memory, or left on disk by a stop. */
  readonly held: number;
  readonly adopt: Heir['adopt'];
  stop(deadlineMs: number): Promise<void>;
}

function heirOf(
  { token }: DeliverySettings,
  url: URL,
  { slot, store }: Spooled,
  { adopt }: Estate,
): OpenedDelivery['heir'] {
  return {
    endpointKey: endpointKey(url),
    token,
    folder: () => slot.current,
    claim: () => store.beat(),
    get name() {
      return slot.current?.name;
    },
    adopt,
  };
}

function createEstate(
  settings: DeliverySettings,
  url: URL,
  common: WithSpool,
  onUntold: (origin: Origin) => void,
): Estate {
  const { clock, spool } = common;
  const queues = new Set<DeliveryQueue>();
  const { promise: stopping, resolve: stopAll } = Promise.withResolvers<void>();
  const { maxEntries, maxBytes } = boundsOf(settings);
  const leastEntries = Math.max(ADOPTED_ENTRIES, settings.queue.maxBatchSize);
  const bounds = { maxEntries: Math.min(maxEntries, leastEntries), maxBytes };
  const durable = { deadLetters: spool.deadLetters, catchUp: spool.catchUpOf(endpointKey(url)) };
  const running = new Set<Promise<void>>();
  let isStopping = false;
  let left = 0;

  async function adopt(folder: string, owner: Pick<Origin, 'node' | 'process'>): Promise<void> {
    const ledger = common.ledger.scope();
    const { promise: done, resolve: onDone } = Promise.withResolvers<void>();
    let queue: DeliveryQueue | undefined;
    const store = await openAdoptedStore({
      files: spool.files,
      clock,
      budget: spool.budget,
      bounds,
      folder,
      owner,
      dropped: ledger.dropped,
      onLost: (reason, count) => ledger.drop(reason, count, { endpoint: url.origin }),
      onAdopted: () => void common.ledger.totals.adopted++,
      onReadable: () => queue?.run(),
      onDone,
      onTrouble: spool.trouble,
    });
    queue = createDeliveryQueue(settings, { ...common, ledger, store, durable });
    queues.add(queue);
    spool.budget.addDropper(store);
    queue.run();
    if (!isStopping) await Promise.race([done, stopping]);
    spool.budget.removeDropper(store);
    // When nothing is left, that is for telling what was dropped of it.
    await queue.stop(isStopping ? 0 : LAST_REPORT_MS);
    // Kept until the endpoint has shown that it understands.
    if (queue.isUntold) onUntold(store.origin);
    queues.delete(queue);
    left += store.held;
  }

  return {
    queues,
    get held() {
      return Array.from(queues, ({ store }) => store.held).reduce((sum, held) => sum + held, left);
    },
    async adopt(folder, owner) {
      const adopting = adopt(folder, owner);
      running.add(adopting);
      await adopting.finally(() => running.delete(adopting));
    },
    async stop(deadlineMs) {
      isStopping = true;
      for (const queue of queues) void queue.stop(deadlineMs);
      stopAll();
      await Promise.allSettled(running);
    },
  };
}
