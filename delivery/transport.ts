import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
// Not from 'undici' itself: its index loads fetch, WebSocket and caches, which need Node 22 and double the bundle; these
// two run on the Node 20 that many gateway images have.
import request from 'undici/lib/api/api-request.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import { type Clock, timerSafeMs } from './clock.ts';
import type { Answer, LenientAnswer } from './verdict.ts';

/** How an endpoint is spoken to. */
export interface TransportSettings {
  /** Bearer token; undefined = the endpoint asks for none. */
  readonly token?: string | undefined;
  /** Bounds connecting, waiting for headers, waiting for the body, and the whole request. */
  readonly timeoutMs: number;
  /** How long an idle connection is kept. */
  readonly keepaliveMs: number;
  /** false = the certificate of the endpoint is not verified. */
  readonly sslVerify: boolean;
  /** Not the concurrency limit: senders keep to that, and at shutdown all connections are wanted. */
  readonly connections: number;
  /** Who is speaking, for the endpoint's own log. */
  readonly userAgent: string;
}

/** Posts batches to one endpoint over its own connections. */
export interface Transport {
  /**
   * One attempt. Never rejects; ends within `timeoutMs`, and at once when `stop` is aborted.
   * @param body in pieces, which must not change
   */
  post(body: readonly Buffer[], headers: Readonly<Record<string, string>>, stop: AbortSignal): Promise<Answer>;
  /** Closes all connections; attempts under way fail. */
  destroy(): void;
}

/** What every request says: refuse single events, if you can, and store the others (RFC 7240). */
const LENIENT = { prefer: 'handling=lenient' } as const;

/** Of an answer that is not 2xx this much is kept for the log: a problem document is a few hundred bytes. */
const MAX_EXCERPT_BYTES = 16 * 1024;
/** An answer is read this far so that its connection can be used again; past it a new connection is cheaper. */
const MAX_DRAINED_BYTES = 64 * 1024;
/** A lenient answer explains each refused event with some 300 bytes; a batch has a thousand events as a rule at most. */
const MAX_REPORT_BYTES = 1024 * 1024;

export function createTransport(settings: TransportSettings, url: URL, clock: Clock): Transport {
  const timeoutMs = timerSafeMs(settings.timeoutMs, 1);
  const keepaliveMs = timerSafeMs(settings.keepaliveMs, 1);
  const pool = new Pool(url.origin, {
    connections: settings.connections,
    connectTimeout: timeoutMs,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    keepAliveTimeout: keepaliveMs,
    // A server's Keep-Alive hint may shorten the life of an idle connection, not lengthen it.
    keepAliveMaxTimeout: keepaliveMs,
    // One batch per connection: over HTTP/2 one stalled connection would stall every batch in flight.
    allowH2: false,
    connect: { rejectUnauthorized: settings.sslVerify },
  });
  const options = { method: 'POST', path: url.pathname + url.search } as const;
  const standing = {
    ...(settings.token !== undefined && { authorization: `Bearer ${settings.token}` }),
    'content-type': 'application/cloudevents-batch+json',
    'user-agent': settings.userAgent,
    ...LENIENT,
  };

  return {
    async post(body, headers, stop) {
      const cut = new AbortController();
      const timer = clock.setTimer(() => cut.abort(cutError('TIMEOUT', `no answer within ${timeoutMs} ms`)), timeoutMs);
      const onStop = () => cut.abort(cutError('STOPPED', 'delivery was stopped'));
      stop.addEventListener('abort', onStop, { once: true });
      if (stop.aborted) onStop();
      try {
        const bytes = body.reduce((sum, { length }) => sum + length, 0);
        const all = { ...standing, 'content-length': String(bytes), ...headers };
        // Any iterable is a body, which undici's types do not say; one buffer of all would be garbage of 1 MB a batch.
        const sent = { ...options, headers: all, body: body as unknown as Readable, signal: cut.signal };
        return await readAnswer(await unlessCut(cut.signal, request.call(pool, sent)));
      } catch (error) {
        return failureOf(error);
      } finally {
        timer.cancel();
        stop.removeEventListener('abort', onStop);
      }
    },
    destroy() {
      pool.destroy().catch(() => {
        // It is being thrown away; there is nobody left to tell.
      });
    },
  };
}

/** undici notices an abort only once it is connected; a name server or a firewall that never answers must not hold us. */
function unlessCut<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    promise.then(resolve, reject);
  });
}

async function readAnswer({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<Answer> {
  const isFine = statusCode >= 200 && statusCode < 300;
  const isLenient = isFine && first(headers['preference-applied'])?.includes(LENIENT.prefer) === true;
  const read = await readBody(body, isLenient ? MAX_REPORT_BYTES : isFine ? 0 : MAX_EXCERPT_BYTES);
  return {
    kind: 'status',
    status: statusCode,
    retryAfter: first(headers['retry-after']),
    date: first(headers['date']),
    ...(!isFine && { excerpt: read.text }),
    ...(isLenient && { lenient: lenientOf(read) }),
  };
}

function lenientOf({ text, end }: ReadBody): LenientAnswer {
  return end === 'whole' ? { kind: 'whole', body: text } : { kind: end === 'cut' ? 'too long' : 'not whole' };
}

interface ReadBody {
  readonly text: string;
  /** cut = there was more than was wanted; broken = it ended early, or did not come in time. */
  readonly end: 'whole' | 'cut' | 'broken';
}

/** The first `keepBytes` of a body. The status is known, so a body that breaks off or comes too slowly is no failure. */
async function readBody(body: Dispatcher.ResponseData['body'], keepBytes: number): Promise<ReadBody> {
  const kept: Buffer[] = [];
  const text = () => Buffer.concat(kept).toString('utf8');
  let readBytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (readBytes < keepBytes) kept.push(chunk.subarray(0, keepBytes - readBytes));
      readBytes += chunk.length;
      if (readBytes > Math.max(keepBytes, MAX_DRAINED_BYTES)) break;
    }
    return { text: text(), end: readBytes > keepBytes ? 'cut' : 'whole' };
  } catch {
    return { text: text(), end: 'broken' };
  }
}

function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

function cutError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function failureOf(error: unknown): Answer {
  if (!(error instanceof Error)) return { kind: 'failure', code: 'UNKNOWN', message: '' };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return { kind: 'failure', code, message: error.message };
}
