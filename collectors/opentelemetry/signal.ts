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
   * Stores a piece of a request; what was refused of it comes back.
   * @throws SpoolUnavailable
   */
  take(items: readonly Item[]): Promise<readonly Refusal[]>;
}

export function createLogs(context: Pick<SourceContext, 'tryTake'>, idAttribute: string | undefined): Signal {
  const logs: Signal<SourceRecord> = {
    name: 'logs',
    request: LOGS_REQUEST,
    rejected: 'rejectedLogRecords',
    itemsOf: (request, body) => logRecordsOf(request, body, idAttribute),
    async take(records) {
      const { refusals } = await context.tryTake({ records });
      return refusals;
    },
  };
  return logs as Signal;
}
