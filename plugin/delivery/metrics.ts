import { earliest } from '../../delivery/aside.ts';
import type { Totals } from './ledger.ts';
import type { Common, OpenedDelivery } from './opened-delivery.ts';
import type { AccountReport } from './served/account.ts';

/** How long something took, in a histogram of Prometheus's kind. */
export interface Durations {
  add(tookMs: number): void;
  read(): DurationCounts;
}

export interface DurationCounts {
  /** How many took at most so many seconds, for each bound; those that took longer are in `count` only. */
  readonly buckets: readonly { readonly seconds: number; readonly count: number }[];
  readonly count: number;
  readonly sumSeconds: number;
}

/** What a process says of itself at one moment. */
export interface Snapshot extends Totals {
  readonly dropped: Readonly<Record<string, number>>;
  /** Events held: in memory, in flight or on disk. */
  readonly queueEvents: number;
  /** For how long the oldest of those in memory has waited; 0 when there is none. */
  readonly oldestAgeSeconds: number;
  /** undefined = there is no spool. */
  readonly spool: { readonly bytes: number; readonly maxBytes: number } | undefined;
  readonly syncs: DurationCounts;
  /** What the gateway served; undefined = not known, or told by another process. */
  readonly account: AccountReport | undefined;
}

/** From a fast SSD to a disk that hangs. */
const BOUNDS_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

export function createDurations(): Durations {
  const counts = BOUNDS_SECONDS.map(() => 0);
  let count = 0;
  let sumSeconds = 0;
  return {
    add(tookMs) {
      const seconds = tookMs / 1000;
      count++;
      sumSeconds += seconds;
      for (const [index, bound] of BOUNDS_SECONDS.entries()) {
        if (seconds <= bound) counts[index] = (counts[index] ?? 0) + 1;
      }
    },
    read: () => ({
      buckets: BOUNDS_SECONDS.map((seconds, index) => ({ seconds, count: counts[index] ?? 0 })),
      count,
      sumSeconds,
    }),
  };
}

export function snapshotOf({
  clock,
  ledger,
  spool,
  syncs,
  opened,
  account,
}: Pick<Common, 'clock' | 'ledger' | 'spool'> & {
  readonly syncs: Durations;
  readonly opened: readonly OpenedDelivery[];
  readonly account: AccountReport | undefined;
}): Snapshot {
  const queues = opened.flatMap(({ queue, adopted }) => [queue, ...adopted]);
  const now = clock.now();
  const oldestAt = earliest(queues.map((queue) => queue.oldestAt()));
  return {
    ...ledger.totals,
    dropped: ledger.dropped(),
    queueEvents: opened.reduce((sum, { held }) => sum + held, 0),
    oldestAgeSeconds: oldestAt === undefined ? 0 : Math.max(0, now - oldestAt) / 1000,
    spool: spool && { bytes: spool.budget.usedBytes, maxBytes: spool.budget.maxBytes },
    syncs: syncs.read(),
    account,
  };
}
