import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
// As in delivery/: undici's index loads a browser's worth of things that are not needed here.
import request from 'undici/lib/api/api-request.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import type { Clock } from '../../delivery/clock.ts';
import { Stopped } from '../core/source.ts';

/** A request that was not answered with what was asked for. Its message has nothing of the answer: some echo secrets. */
export class ApiFailure extends Error {
  /** The server knows the request, and says that there is no answer to it; else time or an operator can mend it. */
  readonly isForGood: boolean;

  constructor(message: string, isForGood: boolean) {
    super(message);
    this.isForGood = isForGood;
  }
}

export interface Reply {
  readonly status: number;
  readonly text: string;
  /** The server's clock, milliseconds since 1970; undefined = it does not say. */
  readonly dateMs: number | undefined;
  readonly retryAfterMs: number | undefined;
}

/** One attempt of a request. @throws ApiFailure @throws Stopped */
export type Send = (asked: {
  readonly method: 'GET' | 'POST';
  /** Below the API's root, encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}) => Promise<Reply>;

export interface HttpSettings {
  readonly url: string;
  /** Requests at once. */
  readonly concurrency: number;
  readonly timeoutMs: number;
}

/** A page of 500 resources has a megabyte or two; there are some requests at once. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;
const KEEPALIVE_MS = 60_000;

export function openHttp({ url, concurrency, timeoutMs }: HttpSettings, clock: Clock): { send: Send; close(): void } {
  const base = new URL(url);
  const root = base.pathname.replace(/\/+$/, '');
  const pool = new Pool(base.origin, {
    connections: concurrency,
    connectTimeout: timeoutMs,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    keepAliveTimeout: KEEPALIVE_MS,
    keepAliveMaxTimeout: KEEPALIVE_MS,
    allowH2: false,
  });

  return {
    async send({ method, path, headers, body = null, signal }) {
      if (signal.aborted) throw new Stopped();
      const cut = new AbortController();
      const timer = clock.setTimer(() => cut.abort(new ApiFailure('no answer in time', false)), timeoutMs);
      const stop = () => cut.abort(new Stopped());
      signal.addEventListener('abort', stop, { once: true });
      try {
        // Redirects are not followed: they would carry the token to wherever they say.
        const options = { method, path: `${root}${path}`, headers, body, signal: cut.signal };
        return await read(await unlessCut(cut.signal, request.call(pool, options)));
      } catch (error) {
        if (error instanceof ApiFailure || error instanceof Stopped) throw error;
        throw new ApiFailure(`no answer: ${codeOf(error)}`, false);
      } finally {
        timer.cancel();
        signal.removeEventListener('abort', stop);
      }
    },
    close() {
      pool.destroy().catch(() => {
        // It is being thrown away; there is nobody left to tell.
      });
    },
  };
}

/** undici notices an abort only once it is connected. */
function unlessCut<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    promise.then(resolve, reject);
  });
}

async function read({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<Reply> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as Readable as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new ApiFailure(`the answer has more than ${MAX_BODY_BYTES} bytes`, false);
    chunks.push(chunk);
  }
  const date = Date.parse(first(headers['date']) ?? '');
  const seconds = /^\d{1,6}$/.exec(first(headers['retry-after']) ?? '')?.[0];
  return {
    status: statusCode,
    text: Buffer.concat(chunks).toString('utf8'),
    dateMs: Number.isNaN(date) ? undefined : date,
    retryAfterMs: seconds === undefined ? undefined : Number.parseInt(seconds, 10) * 1000,
  };
}

function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
