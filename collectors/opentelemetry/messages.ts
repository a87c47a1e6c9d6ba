/**
 * A message of a request that has not been decoded: what has large lists is walked through, and what they hold is decoded one
 * by one. A request of some megabytes may have millions of messages, which would take a hundred times as much in memory.
 */
export interface Message {
  /** In the request. */
  readonly bytes: number;
  /** Where it stands in the body, of protobuf. */
  readonly range?: { readonly start: number; readonly end: number };
  /** Its fields, without the lists that are walked through, and without what has such lists. @throws Error when it is broken */
  head(): Readonly<Record<string, unknown>>;
  /** All of it, where it has no such lists. @throws Error when it is broken @throws TooLarge */
  whole(): Readonly<Record<string, unknown>>;
  /** The messages of one of its lists, or of a field that has one. @throws Error when it is broken */
  each(field: string): Iterable<Message>;
}

/** What is decoded at once: an event has a quarter of a megabyte at most. */
export const MAX_DECODED_BYTES = 512 * 1024;

/** Fields that are walked through. */
export const WALKED: ReadonlySet<string> = new Set([
  'resourceLogs',
  'scopeLogs',
  'logRecords',
  'resourceMetrics',
  'scopeMetrics',
  'metrics',
  'gauge',
  'sum',
  'histogram',
  'exponentialHistogram',
  'summary',
  'dataPoints',
]);

/** What is larger than may be decoded at once. */
export class TooLarge extends Error {
  constructor() {
    super(`it has more than ${MAX_DECODED_BYTES} bytes`);
  }
}

/** What was made of a part of a request, and how large that was. */
export interface Sized<Item> {
  readonly bytes: number;
  /** undefined = it only holds others; a request may have millions of them as well. */
  readonly item: Item | undefined;
}

export const ONLY_HOLDS: Sized<never> = { bytes: 0, item: undefined };
