import type { Fields } from './log.ts';
import type { RareLog } from './rare-log.ts';

/**
 * Totals since the start of the process. Every event that was pushed is in exactly one place:
 * taken = sent + waiting + what this folder dropped (`queue_full`, `event_too_large`, `rejected`,
 * `retry_time_exceeded`, `shutdown`, `internal_error`). `dropped` also has what the plugin reported, never pushed.
 */
export interface DeliveryCounters {
  /** Events pushed. */
  taken: number;
  /** Events that the endpoint answered with 2xx. */
  sent: number;
  /** Requests that repeated one that had failed. */
  retried: number;
  /** Events held: waiting or in flight. */
  waiting: number;
  /** Events dropped, by reason. */
  dropped: Record<string, number>;
}

export interface Ledger {
  readonly totals: { taken: number; sent: number; retried: number };
  /** Counts dropped events and logs them, at most one line a minute per reason. */
  drop(reason: string, count: number, fields?: Fields): void;
  /** A copy of the counts by reason. */
  dropped(): Record<string, number>;
}

/** More reasons than anybody names; a caller that makes them up from data must not fill the memory. */
const MAX_REASONS = 64;
const MAX_REASON_LENGTH = 64;
const OTHER = 'other';

export function createLedger(rareLog: RareLog): Ledger {
  const counts = new Map<string, number>();
  return {
    totals: { taken: 0, sent: 0, retried: 0 },
    drop(reason, count, fields) {
      if (count <= 0) return;
      const name = reason.slice(0, MAX_REASON_LENGTH);
      const known = counts.has(name) || counts.size < MAX_REASONS ? name : OTHER;
      counts.set(known, (counts.get(known) ?? 0) + count);
      rareLog.note({
        key: `drop ${known}`,
        level: 'warn',
        msg: 'events dropped',
        fields: { reason: known, ...fields },
        count,
      });
    },
    dropped: () => Object.fromEntries(counts),
  };
}
