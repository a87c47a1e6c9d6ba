import type protobuf from 'protobufjs';
import type { Refusal, SourceContext, SourceRecord } from '../core/source.ts';
import { logRecordsOf } from './log-records.ts';
import type { Message, Sized } from './messages.ts';
import { LOGS_REQUEST } from './otlp-messages.ts';

/** What clients send of one kind: how its requests are read, and what becomes of what is in them. */
export interface Signal<Item = unknown> {
  readonly name: 'logs' | 'metrics';
  readonly request: protobuf.Type;
  /** What its answers in JSON call what was refused. */
  readonly rejected: 'rejectedLogRecords' | 'rejectedDataPoints';
  /** What is in a request, one after the other. @throws Error when it is broken */
  itemsOf(request: Message, body: Buffer): Iterable<Sized<Item>>;
  /**
   * Stores what is in a request, reading it as it goes; what was refused of it comes back.
   * @param check asked before a part is stored whose rest has not been read: rejects when that is broken
   * @throws SpoolUnavailable, and what reading or the check throws
   */
  take(items: Iterable<Sized<Item>>, check: () => Promise<void>): Promise<readonly Refusal[]>;
}

export function createLogs(context: Pick<SourceContext, 'tryTake'>, idAttribute: string | undefined): Signal {
  const logs: Signal<SourceRecord> = {
    name: 'logs',
    request: LOGS_REQUEST,
    rejected: 'rejectedLogRecords',
    itemsOf: (request, body) => logRecordsOf(request, body, idAttribute),
    async take(items, check) {
      const { refusals } = await context.tryTake({ records: recordsOf(items), check });
      return refusals;
    },
  };
  return logs as Signal;
}

/** Each is gone again before the next is read: a request of them takes ten times as much as its events. */
function* recordsOf(items: Iterable<Sized<SourceRecord>>): Generator<SourceRecord> {
  for (const { item } of items) if (item !== undefined) yield item;
}
