import type { Outbox } from '../../delivery/sender.ts';
import { reasonOf } from '../../delivery/sender.ts';
import type { DeadLetters } from './dead-letters.ts';
import { deliveryHeaders } from './delivery-headers.ts';
import { type Entry, type EventStore, idOf } from './event-store.ts';
import type { Ledger } from './ledger.ts';
import { ticketOf } from './origin.ts';
import type { OnSettled } from './settings.ts';
import { arrayOf } from './texts.ts';

export interface OutboxOptions {
  /** Names the Delivery in log lines. */
  readonly endpoint: string;
  readonly store: EventStore;
  /** Counts what becomes of the events. */
  readonly ledger: Ledger;
  /** Told which events were dealt with. */
  readonly onSettled?: OnSettled | undefined;
  /** Where refused events are kept; undefined = nowhere. */
  readonly deadLetters?: DeadLetters | undefined;
}

const MAX_ID_LENGTH = 128;

/** A store of events as the sender sees it: what becomes of each is counted, told and, where refused, kept. */
export function createOutbox({ endpoint, store, ledger, onSettled, deadLetters }: OutboxOptions): Outbox<Entry> {
  function settled(entries: readonly Entry[]): void {
    store.settle(entries);
    onSettled?.(entries.map(({ number }) => ticketOf(store.origin.process, number)));
  }

  return {
    get waiting() {
      return store.waiting;
    },
    headersOf: (entries) =>
      deliveryHeaders(
        store.origin,
        entries.map(({ number }) => number),
      ),
    bodyOf: arrayOf,
    onRetry() {
      ledger.totals.retried++;
    },
    async settle(part, refused) {
      // Kept aside before it is given up: a process that is killed in between leaves it in both places, not in none.
      if (refused.length > 0) {
        await deadLetters?.keep(
          refused.map(({ entry, status, fields }) => ({ entry, endpoint, status, reason: reasonOf(fields) })),
        );
      }
      settled(part);
      ledger.totals.sent += part.length - refused.length;
      for (const { entry, fields } of refused) {
        ledger.drop('rejected', 1, { endpoint, id: idOf(entry).slice(0, MAX_ID_LENGTH), ...fields });
      }
    },
    giveBack: (part) => store.giveBack(part),
    drop(reason, part, fields) {
      settled(part);
      ledger.drop(reason, part.length, { endpoint, ...fields });
    },
  };
}
