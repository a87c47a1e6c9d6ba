import { createHash } from 'node:crypto';

/** Kong's queue parameters under Kong's names, in milliseconds, plus the two of the breaker. */
export interface QueueSettings {
  /** A batch leaves as soon as this many events wait; 1 = no batching, each event leaves at once. */
  maxBatchSize: number;
  /** A batch leaves at the latest this long after its first event was pushed. */
  maxCoalescingDelayMs: number;
  /** Events held in memory, in flight included. */
  maxEntries: number;
  /** Bytes of UTF-8 JSON held in memory, in flight included; undefined = bounded by `maxEntries` alone. */
  maxBytes?: number | undefined;
  initialRetryDelayMs: number;
  maxRetryDelayMs: number;
  /** A batch is given up this long after its first attempt; 0 = one attempt. */
  maxRetryTimeMs: number;
  /** Batches in flight; -1 = unlimited, which means {@link MAX_CONNECTIONS} here. */
  concurrencyLimit: number;
  /** Failed attempts in a row that open the breaker; 0 = no breaker. */
  failureThreshold: number;
  /** How long an open breaker sends nothing before it tries one batch. */
  breakerCooldownMs: number;
}

/** Where events go, and how. Equal settings share one buffer and one connection pool. */
export interface DeliverySettings {
  /** An http or https URL, with path and query as they are to be called. */
  endpoint: string;
  /** Bearer token. Appears in no log line. */
  token: string;
  /** Bounds connecting, waiting for headers, waiting for the body, and the whole request. */
  timeoutMs: number;
  /** How long an idle connection is kept. */
  keepaliveMs: number;
  /** false = the certificate of the endpoint is not verified. */
  sslVerify: boolean;
  queue: QueueSettings;
}

/** One CloudEvent, already serialized. */
export interface Deliverable {
  readonly json: string;
}

/** Names an event that was taken, for as long as it is not dealt with. */
export type Ticket = string;

/** Told of events that have arrived, or never will. */
export type OnSettled = (tickets: readonly Ticket[]) => void;

/** A place to leave events. `push` returns at once and never throws; what becomes of each event is counted. */
export interface Delivery {
  /** @returns the event's ticket, which `onSettled` is told when it has arrived or never will; undefined: it was lost */
  push(event: Deliverable): Ticket | undefined;
}

/**
 * Connections of one Delivery when nothing else is said. Kong's "unlimited" starts a timer for every entry; against a
 * slow backend that is thousands of sockets, and a gateway without file descriptors. With batches, 32 in flight are
 * more than one Node process can fill.
 */
export const MAX_CONNECTIONS = 32;

/** Batches that may be in flight with these settings. */
export function concurrencyOf(queue: QueueSettings): number {
  return queue.concurrencyLimit < 1 ? MAX_CONNECTIONS : Math.min(queue.concurrencyLimit, MAX_CONNECTIONS);
}

/** What RFC 9110 lets a header field carry, less the space, which no bearer token has. */
const HEADER_SAFE = /^[\x21-\x7e]+$/;

/**
 * The endpoint as a URL.
 * @throws TypeError naming the setting, never its value, when a batch could not even be sent: better one loud error
 *   when the instance starts than every event lost after its retries.
 */
export function checkSettings(settings: DeliverySettings): URL {
  const url = URL.canParse(settings.endpoint) ? new URL(settings.endpoint) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new TypeError('the ingest endpoint is not an http or https URL');
  }
  if (!HEADER_SAFE.test(settings.token)) {
    throw new TypeError('the API token is empty or has characters that an Authorization header cannot carry');
  }
  const { queue } = settings;
  atLeast(1, {
    timeoutMs: settings.timeoutMs,
    maxBatchSize: queue.maxBatchSize,
    maxEntries: queue.maxEntries,
    maxBytes: queue.maxBytes ?? 1,
  });
  atLeast(0, {
    maxCoalescingDelayMs: queue.maxCoalescingDelayMs,
    initialRetryDelayMs: queue.initialRetryDelayMs,
    maxRetryDelayMs: queue.maxRetryDelayMs,
    maxRetryTimeMs: queue.maxRetryTimeMs,
    failureThreshold: queue.failureThreshold,
    breakerCooldownMs: queue.breakerCooldownMs,
    keepaliveMs: settings.keepaliveMs,
  });
  if (!Number.isInteger(queue.concurrencyLimit) || queue.concurrencyLimit < -1 || queue.concurrencyLimit === 0) {
    throw new TypeError('concurrencyLimit must be -1 or a positive integer');
  }
  return url;
}

function atLeast(least: number, values: Record<string, number>): void {
  for (const [name, value] of Object.entries(values)) {
    // A NaN in a bound would compare false for ever: a queue without a limit, or one that never sends.
    if (!Number.isFinite(value) || value < least) throw new TypeError(`${name} must be a number of at least ${least}`);
  }
}

/** The identity of a Delivery: every setting counts. Hashed, so that the token is in no key, dump or log line. */
export function settingsKey(settings: DeliverySettings): string {
  const { queue } = settings;
  const parts = [
    settings.endpoint,
    settings.token,
    settings.timeoutMs,
    settings.keepaliveMs,
    settings.sslVerify,
    queue.maxBatchSize,
    queue.maxCoalescingDelayMs,
    queue.maxEntries,
    queue.maxBytes ?? null,
    queue.initialRetryDelayMs,
    queue.maxRetryDelayMs,
    queue.maxRetryTimeMs,
    queue.concurrencyLimit,
    queue.failureThreshold,
    queue.breakerCooldownMs,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
