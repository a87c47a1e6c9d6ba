import type { Fields } from '../../delivery/log.ts';
import type { RareLog } from '../../delivery/rare-log.ts';

/**
 * Totals since the start of the process. Every event that was pushed, or adopted from a dead process, is in exactly one
 * place: taken + adopted = sent + waiting + what this folder dropped (`queue_full`, `event_too_large`, `spool_full`,
 * `rejected`, `retry_time_exceeded`, `shutdown`, `internal_error`) + what a stop has left on disk. `dropped` also has
 * what the plugin reported, never pushed, and `spool_unreadable`, of which nobody knows whether it was adopted.
 */
export interface DeliveryCounters {
  /** Events pushed. */
  taken: number;
  /** Events read from what a dead process left behind. */
  adopted: number;
  /** Events that the endpoint answered with 2xx and did not refuse. */
  sent: number;
  /** Requests that repeated one that had failed. */
  retried: number;
  /** Events held: waiting or in flight, in memory or on disk. */
  waiting: number;
  /** Events dropped, by reason. */
  dropped: Record<string, number>;
}

/** What only grows. */
export interface Totals {
  taken: number;
  adopted: number;
  sent: number;
  retried: number;
  /** Events that were written to disk. */
  spooled: number;
  /** Refused events that are kept aside in a file. */
  deadLettered: number;
  /** Refused events that were kept aside and are gone, to make room for newer ones or since the disk refused. */
  deadLettersLost: number;
  /** Times that the disk refused something. */
  spoolErrors: number;
}

export interface Ledger {
  readonly totals: Totals;
  /** Counts dropped events and logs them, at most one line a minute per reason. */
  drop(reason: string, count: number, fields?: Fields): void;
  /** A copy of the counts by reason. */
  dropped(): Record<string, number>;
  /** A part of this ledger: what is dropped there counts here as well, and its totals are the same. */
  scope(): Ledger;
}

/** More reasons than anybody names; a caller that makes them up from data must not fill the memory. */
const MAX_REASONS = 64;
const MAX_REASON_LENGTH = 64;
const OTHER = 'other';

export function createLedger(rareLog: RareLog): Ledger {
  const totals: Totals = {
    taken: 0,
    adopted: 0,
    sent: 0,
    retried: 0,
    spooled: 0,
    deadLettered: 0,
    deadLettersLost: 0,
    spoolErrors: 0,
  };
  return createPart(totals, (reason, count, fields) =>
    rareLog.note({
      key: `drop ${reason}`,
      level: 'warn',
      msg: 'events dropped',
      fields: { reason, ...fields },
      count,
    }),
  );
}

function createPart(totals: Totals, onDrop: Ledger['drop']): Ledger {
  const counts = new Map<string, number>();

  function drop(reason: string, count: number, fields?: Fields): void {
    if (count <= 0) return;
    const name = reason.slice(0, MAX_REASON_LENGTH);
    const known = counts.has(name) || counts.size < MAX_REASONS ? name : OTHER;
    counts.set(known, (counts.get(known) ?? 0) + count);
    onDrop(known, count, fields);
  }

  return { totals, drop, dropped: () => Object.fromEntries(counts), scope: () => createPart(totals, drop) };
}

/** Counts by reason of several places, added up. */
export function addCounts(...parts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const part of parts) {
    for (const [reason, count] of Object.entries(part)) sums.set(reason, (sums.get(reason) ?? 0) + count);
  }
  return Object.fromEntries(sums);
}
