import { MEASURES, type Measure } from '../usage-feed/messages.ts';
import type { UsageFeedReader } from '../usage-feed/receiver.ts';
import type { Access, Known } from './knowledge.ts';
import { type Admission, UnderWay } from './under-way.ts';

/**
 * What this node has let through and the backend has not counted, for one feature. Two parts: requests under way, of which
 * no event exists yet; and events that the metering plugin of the node has made and not delivered.
 */
export interface Counting {
  /** A request of the customer was let through. */
  admit(customerId: string, units: number, nowMs: number): void;
  /** Units of the customer that are not in what is known. */
  uncounted(known: Known, nowMs: number): number;
  /**
   * Whether what is known may hold events that count here as on their way: those that arrived when it was asked for, and of
   * whose arrival this node was told later. They count twice until the next answer.
   */
  isAmbiguous(known: Known, nowMs: number): boolean;
  /** To be called right before something is asked: what has been delivered by now will be in the answer. */
  mark(known: Known): Mark | undefined;
  /** Units whose arrival was told since what is known was asked for. */
  toldSince(known: Known): number;
  /** Whether anybody tells this node what becomes of what it lets through. */
  isTold(): boolean;
  /** Takes over what an answer says of a key. @param mark what `mark` gave when it was asked for */
  answered(customerId: string, mark: Mark | undefined, after: Known): void;
  /** The backend has counted more than before: once for each customer of an answer. */
  counted(customerId: string, before: Known | undefined, after: Known): void;
  /** A customer who was known before a restart: their requests may end before anything is answered. */
  learn(customer: Known['customer']): void;
  /** What is to be kept over a restart of the customers of whom this is known. */
  save(known: Iterable<Known | undefined>): Record<string, SavedUse>;
  restore(saved: Readonly<Record<string, SavedUse>>, nowMs: number): void;
}

/** What of a customer's use the backend has not counted, by customer id. */
export interface SavedUse {
  readonly underWay: readonly Admission[];
  /** Units of events that were made and not delivered. */
  readonly onTheirWay: number;
}

/** What of the customer's events had been delivered when something was asked. */
export interface Mark {
  readonly settled: number;
  /** Whether by then the metering plugin had told of all that was on its way. */
  readonly isComplete: boolean;
}

/**
 * What was under way or on its way when the plugin server died counts until the metering plugin tells of all of it and the
 * backend has been asked after that; or for this long, should nobody ever tell. Where nothing was on its way there may be
 * no metering plugin, and the end of a request may have been told to nobody: those count for the shorter time.
 */
const RESTORED_FOR_MS = 600_000;
const RESTORED_UNDER_WAY_FOR_MS = 5000;
/** The metering plugin tells of an arrival within this time, on a busy machine. */
const TOLD_AFTER_MS = 100;
export function createCounting(feed: UsageFeedReader | undefined): Counting {
  const underWay = new UnderWay();
  const customerOf = new Map<string, string>();
  /** Of each answer its own: a customer with several keys is asked about by one at one time and by another at another. */
  const marks = new WeakMap<Known, Mark>();
  /** What was not counted by the backend when the plugin server died. */
  const restored = new Map<string, { readonly units: number; readonly onTheirWay: number; readonly untilMs: number }>();

  feed?.onLogged((subject, count) => {
    const customerId = customerOf.get(subject);
    if (customerId !== undefined) underWay.end(customerId, count);
  });

  const madeAndSettled = (subjects: readonly string[], meter: Access['meter']) => totalsOf(feed, subjects, meter);

  function learn(customer: Known['customer']): void {
    for (const subject of customer?.subjects ?? []) customerOf.set(subject, customer?.id ?? '');
  }

  /** Made by the metering plugin of this node, and not in what is known. */
  function onTheirWay(known: Known): number {
    const { customer, access } = known;
    if (customer === undefined) return 0;
    const { made } = madeAndSettled(customer.subjects, access.meter);
    return Math.max(0, made - (marks.get(known)?.settled ?? 0));
  }

  function toldSince(known: Known): number {
    const { settled } = madeAndSettled(known.customer?.subjects ?? [], known.access.meter);
    return settled - (marks.get(known)?.settled ?? 0);
  }

  return {
    learn,
    admit: (customerId, units, nowMs) => underWay.admit(customerId, units, nowMs),
    uncounted(known, nowMs) {
      const { customer } = known;
      if (customer === undefined) return 0;
      const before = restored.get(customer.id);
      const beforeUnits = before !== undefined && nowMs < before.untilMs ? before.units : 0;
      return underWay.units(customer.id, nowMs) + onTheirWay(known) + beforeUnits;
    },
    isAmbiguous(known, nowMs) {
      const { customer, askedAtMs } = known;
      if (customer === undefined || onTheirWay(known) === 0) return false;
      if (nowMs - askedAtMs < TOLD_AFTER_MS) return true;
      return toldSince(known) > 0;
    },
    mark: ({ customer, access }) =>
      customer && {
        settled: madeAndSettled(customer.subjects, access.meter).settled,
        isComplete: feed?.tellsAll() ?? false,
      },
    toldSince,
    isTold: () => feed?.isConnected() ?? false,
    answered(customerId, mark, after) {
      learn(after.customer);
      if (mark?.isComplete === true) restored.delete(customerId);
      // Asked about for the first time: what had been delivered by then is not known, and what is made from now on is.
      const { settled } = madeAndSettled(after.customer?.subjects ?? [], after.access.meter);
      marks.set(after, mark ?? { settled, isComplete: false });
    },
    counted(customerId, before, after) {
      if (feed?.isConnected() === true) return;
      // Without a metering plugin that tells, what the backend has counted more than before is what has ended here.
      const grown = usageOf(after) - usageOf(before);
      if (grown > 0) underWay.end(customerId, Math.round(grown), after.askedAtMs);
    },
    save(known) {
      const saved: Record<string, SavedUse> = {};
      for (const one of known) {
        const id = one?.customer?.id;
        if (one === undefined || id === undefined) continue;
        // Should it die again before all is told.
        const before = restored.get(id)?.onTheirWay ?? 0;
        const use = { underWay: underWay.admissions(id), onTheirWay: onTheirWay(one) + before };
        const other = saved[id];
        if (other !== undefined && other.onTheirWay >= use.onTheirWay) continue;
        if (use.underWay.length > 0 || use.onTheirWay > 0) saved[id] = use;
      }
      return saved;
    },
    restore(saved, nowMs) {
      for (const [id, { underWay: buckets, onTheirWay: onWay }] of Object.entries(saved)) {
        const units = buckets.reduce((sum, [, count, each]) => sum + count * each, onWay);
        const untilMs = nowMs + (onWay > 0 ? RESTORED_FOR_MS : RESTORED_UNDER_WAY_FOR_MS);
        restored.set(id, { units, onTheirWay: onWay > 0 ? units : 0, untilMs });
      }
    },
  };
}

function usageOf(known: Known | undefined): number {
  const { allowance, credit } = known?.access ?? {};
  return allowance === undefined ? -(credit?.units ?? 0) : allowance.total - allowance.balance;
}

/** Of events of these subjects: what was made on this node, and what of it has reached the backend. */
function totalsOf(feed: UsageFeedReader | undefined, subjects: readonly string[], meter: Access['meter']) {
  const totals = { made: 0, settled: 0 };
  const measure = MEASURES.find((name): name is Measure => name === meter?.measure);
  if (feed === undefined || meter === undefined || measure === undefined) return totals;
  for (const subject of subjects) {
    const own = feed.totals(subject, meter.eventType, measure);
    totals.made += own.made;
    totals.settled += own.settled;
  }
  return totals;
}
