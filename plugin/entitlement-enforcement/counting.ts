import { MEASURES, type Measure } from '../usage-feed/messages.ts';
import type { UsageFeedReader } from '../usage-feed/receiver.ts';
import type { Allowance, Known } from './knowledge.ts';

/**
 * What this node has let through and the backend has not counted, for one feature. Two parts: requests under way, of which
 * no event exists yet; and events that the metering plugin of the node has made and not delivered.
 */
export interface Counting {
  /** A request of the customer was let through. */
  admit(customerId: string, units: number, nowMs: number): void;
  /** Units of the customer that are not in what is known. */
  uncounted(known: Known, nowMs: number): number;
  /** To be called right before something is asked: what has been delivered by now will be in the answer. */
  mark(customerId: string, subjects: readonly string[], allowance: Allowance | undefined): Mark;
  /** Takes over what an answer says. @param mark what `mark` gave when it was asked for */
  answered(customerId: string, mark: Mark | undefined, before: Known | undefined, after: Known): void;
  /** Requests under way, to be kept over a restart. */
  save(): Record<string, readonly Admission[]>;
  restore(saved: Readonly<Record<string, readonly Admission[]>>, nowMs: number): void;
}

/** Requests of the same moment. */
export type Admission = readonly [atMs: number, count: number, unitsEach: number];

/** What of the customer's events had been delivered when something was asked. */
export interface Mark {
  readonly settled: number;
}

/** A request that takes longer is no longer counted as under way; its event counts when it comes. */
const UNDER_WAY_FOR_MS = 60_000;
/** The end of a request that was under way when the plugin server died may have been told to nobody. */
const RESTORED_FOR_MS = 5000;
/** Requests within this time are kept together. */
const BUCKET_MS = 100;

interface UnderWay {
  /** The oldest first. */
  readonly buckets: Admission[];
  /** Of all of them. */
  units: number;
}

export function createCounting(feed: UsageFeedReader | undefined): Counting {
  const admissions = new Map<string, UnderWay>();
  const customerOf = new Map<string, string>();
  const marks = new Map<string, Mark>();

  feed?.onLogged((subject, count) => {
    const customerId = customerOf.get(subject);
    if (customerId !== undefined) settle(customerId, count);
  });

  /** The oldest requests have come to their end: at worst others have, and as many stay under way. */
  function settle(customerId: string, count: number, beforeMs = Number.POSITIVE_INFINITY): void {
    const own = admissions.get(customerId);
    let left = count;
    while (own !== undefined && left > 0) {
      const [oldest] = own.buckets;
      if (oldest === undefined) break;
      const [atMs, waiting, unitsEach] = oldest;
      if (atMs + BUCKET_MS > beforeMs) break;
      const ended = Math.min(waiting, left);
      if (waiting > ended) own.buckets[0] = [atMs, waiting - ended, unitsEach];
      else own.buckets.shift();
      own.units -= ended * unitsEach;
      left -= ended;
    }
    if (own?.buckets.length === 0) admissions.delete(customerId);
  }

  function underWay(customerId: string, nowMs: number): number {
    const own = admissions.get(customerId);
    if (own === undefined) return 0;
    for (
      let [oldest] = own.buckets;
      oldest !== undefined && nowMs - oldest[0] > UNDER_WAY_FOR_MS;
      [oldest] = own.buckets
    ) {
      own.units -= oldest[1] * oldest[2];
      own.buckets.shift();
    }
    // Fractions of units add up to what floats make of them.
    if (own.buckets.length === 0) own.units = 0;
    return own.units;
  }

  function madeAndSettled(subjects: readonly string[], allowance: Allowance | undefined) {
    const totals = { made: 0, settled: 0 };
    const { meter } = allowance ?? {};
    const measure = MEASURES.find((name): name is Measure => name === meter?.measure);
    if (feed === undefined || meter === undefined || measure === undefined) return totals;
    for (const subject of subjects) {
      const own = feed.totals(subject, meter.eventType, measure);
      totals.made += own.made;
      totals.settled += own.settled;
    }
    return totals;
  }

  return {
    admit(customerId, units, nowMs) {
      if (units === 0) return;
      const own = admissions.get(customerId) ?? { buckets: [], units: 0 };
      const last = own.buckets.at(-1);
      const bucketMs = Math.floor(nowMs / BUCKET_MS) * BUCKET_MS;
      if (last?.[0] === bucketMs && last[2] === units)
        own.buckets[own.buckets.length - 1] = [bucketMs, last[1] + 1, units];
      else own.buckets.push([bucketMs, 1, units]);
      own.units += units;
      admissions.set(customerId, own);
    },
    uncounted({ customer, access }, nowMs) {
      if (customer === undefined) return 0;
      const { made } = madeAndSettled(customer.subjects, access.allowance);
      const delivered = marks.get(customer.id)?.settled ?? 0;
      return underWay(customer.id, nowMs) + Math.max(0, made - delivered);
    },
    mark: (_customerId, subjects, allowance) => ({ settled: madeAndSettled(subjects, allowance).settled }),
    answered(customerId, mark, before, after) {
      for (const subject of after.customer?.subjects ?? []) customerOf.set(subject, customerId);
      // Asked about for the first time: what had been delivered by then is not known, and what is made from now on is.
      marks.set(
        customerId,
        mark ?? { settled: madeAndSettled(after.customer?.subjects ?? [], after.access.allowance).settled },
      );
      if (feed?.isConnected() === true) return;
      // Without a metering plugin that tells, what the backend has counted more than before is what has ended here.
      const grown = usageOf(after) - usageOf(before);
      if (grown > 0) settle(customerId, Math.round(grown), after.askedAtMs);
    },
    save: () => Object.fromEntries(Array.from(admissions, ([customerId, { buckets }]) => [customerId, buckets])),
    restore(saved, nowMs) {
      for (const [customerId, own] of Object.entries(saved)) {
        const asIfAtMs = nowMs - UNDER_WAY_FOR_MS + RESTORED_FOR_MS;
        const buckets = own.map(([atMs, count, units]): Admission => [Math.min(atMs, asIfAtMs), count, units]);
        admissions.set(customerId, {
          buckets,
          units: buckets.reduce((sum, [, count, units]) => sum + count * units, 0),
        });
      }
    },
  };
}

function usageOf(known: Known | undefined): number {
  const { total = 0, balance = 0 } = known?.access.allowance ?? {};
  return total - balance;
}
