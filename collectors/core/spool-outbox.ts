import type { Clock } from '../../delivery/clock.ts';
import { numberingHeaders } from '../../delivery/numbering.ts';
import type { RareLog } from '../../delivery/rare-log.ts';
import { type Outbox, type Refused, reasonOf } from '../../delivery/sender.ts';
import type { Entry, SendingCounts } from './sending.ts';
import { pause } from './source.ts';
import type { DeadLetter, SpoolPart } from './spool.ts';

export interface OutboxOptions {
  readonly part: SpoolPart;
  readonly node: string;
  readonly clock: Clock;
  readonly rareLog: RareLog;
  readonly counts: SendingCounts;
  /** Aborted when the sender stops. */
  readonly stop: AbortSignal;
  /** Told when the removal of delivered events is on disk. */
  readonly onSettled: (entries: readonly Entry[]) => void;
}

const DISK_PAUSE_MS = 1000;
const OPEN = Buffer.from('[');
const CLOSE = Buffer.from(']');

/** Where the events of batches stand, and what becomes of them there. */
export function createSpoolOutbox(options: OutboxOptions): Omit<Outbox<Entry>, 'waiting' | 'drop'> {
  const { part, node, counts } = options;
  const origin = {
    node,
    process: part.process,
    get taken() {
      return part.counts.taken;
    },
    dropped: () => ({
      ...(part.counts.unmapped > 0 && { unmapped: part.counts.unmapped }),
      ...(part.counts.rejected > 0 && { rejected: part.counts.rejected }),
    }),
  };
  return {
    headersOf: (entries) => numberingHeaders(origin, numbersOf(entries)),
    bodyOf: (entries) => [OPEN, ...part.jsonOf(numbersOf(entries)), CLOSE],
    onRetry() {
      counts.retried++;
    },
    settle(entries, refused) {
      count(entries, refused, options);
      const dead = refused.map(({ entry, fields }): DeadLetter => {
        return {
          kind: 'rejected',
          reason: reasonOf(fields),
          record: Buffer.concat(part.jsonOf([entry.number])).toString('utf8'),
        };
      });
      // Not waited for: what is removed late is sent again after a crash, and counts once.
      void remove(entries, dead, options);
      return Promise.resolve();
    },
    giveBack() {
      // It has never left the spool.
    },
  };
}

function count(
  entries: readonly Entry[],
  refused: readonly Refused<Entry>[],
  { counts, clock, rareLog, node }: OutboxOptions,
): void {
  const now = clock.epochMs();
  counts.sent += entries.length - refused.length;
  counts.batchesSent++;
  counts.lastSentAtMs = now;
  for (const { takenAtMs } of entries) counts.latencyMs += Math.max(0, now - takenAtMs);
  for (const { fields } of refused) {
    rareLog.note({
      key: `${node} rejected`,
      level: 'warn',
      msg: 'the endpoint refused an event; it is kept as a dead letter',
      fields,
    });
  }
}

async function remove(
  entries: readonly Entry[],
  dead: readonly DeadLetter[],
  { part, node, clock, rareLog, stop, onSettled }: OutboxOptions,
): Promise<void> {
  const bytes = entries.reduce((sum, one) => sum + one.bytes, 0);
  for (;;) {
    try {
      await part.settle(numbersOf(entries), bytes, dead);
      return onSettled(entries);
    } catch (error) {
      rareLog.note({
        key: `${node} disk`,
        level: 'error',
        msg: 'the spool cannot be written',
        fields: { cause: String(error) },
      });
      if (stop.aborted) return onSettled(entries);
      await pause(clock, DISK_PAUSE_MS, stop);
    }
  }
}

function numbersOf(entries: readonly Entry[]): number[] {
  return entries.map(({ number }) => number);
}
