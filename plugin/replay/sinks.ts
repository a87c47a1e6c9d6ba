import { createWriteStream } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseRetryAfterMs, retryDelayMs } from '../../delivery/retry-delay.ts';
import { verdictOf } from '../../delivery/verdict.ts';
import type { UsageEvent } from '../metering-and-billing/usage-events.ts';

/** Where replayed events go. */
export interface Sink {
  /** Resolves when the events are where they belong. @returns those that were refused for their content */
  write(events: readonly UsageEvent[]): Promise<Refusal[]>;
  close(): Promise<void>;
}

export interface Refusal {
  id: string;
  /** Status and the beginning of the answer. */
  reason: string;
}

/** One event a line, in the form that the endpoint takes. @param path "-" for standard output */
export function fileSink(path: string): Sink {
  const file = path === '-' ? process.stdout : createWriteStream(path, { flags: 'wx', mode: 0o600 });
  const failed = new Promise<never>((_, reject) => file.once('error', reject));
  failed.catch(() => undefined);
  const done = (start: (callback: (error?: Error | null) => void) => void) =>
    Promise.race([
      failed,
      new Promise<void>((resolve, reject) => start((error) => (error ? reject(error) : resolve()))),
    ]);
  return {
    write: async (events) => {
      await done((callback) => file.write(events.map((event) => `${JSON.stringify(event)}\n`).join(''), callback));
      return [];
    },
    close: async () => {
      if (path !== '-') await done((callback) => file.end(callback));
    },
  };
}

export interface EndpointOptions {
  url: string;
  token: string;
  /** Told before each pause. */
  onRetry(reason: string, delayMs: number): void;
}

// A person waits and may press Ctrl-C, so there is no last attempt; half a minute between two is patient enough.
const INITIAL_RETRY_DELAY_MS = 200;
const MAX_RETRY_DELAY_MS = 30_000;
const TIMEOUT_MS = 60_000;
const MAX_EXCERPT_LENGTH = 300;

/** Posts batches until the endpoint takes or refuses them; a refused batch is halved until the culprit stands alone. */
export function endpointSink(options: EndpointOptions): Sink {
  return {
    write: (events) => deliver(events, options),
    close: async () => undefined,
  };
}

async function deliver(events: readonly UsageEvent[], options: EndpointOptions): Promise<Refusal[]> {
  for (let failedAttempts = 1; ; failedAttempts++) {
    const answer = await post(events, options);
    const verdict = verdictOf(answer);
    if (verdict === 'delivered') return [];
    const reason = answer.kind === 'status' ? `${answer.status} ${answer.excerpt ?? ''}`.trim() : answer.message;
    if (verdict === 'split') {
      const [only] = events;
      if (events.length <= 1) return only === undefined ? [] : [{ id: only.id, reason }];
      const middle = events.length >> 1;
      const first = await deliver(events.slice(0, middle), options);
      return [...first, ...(await deliver(events.slice(middle), options))];
    }
    const retryAfterMs =
      answer.kind === 'status'
        ? parseRetryAfterMs(answer.retryAfter, answer.date, performance.timeOrigin + performance.now())
        : undefined;
    const delayMs = retryDelayMs({
      failedAttempts,
      initialRetryDelayMs: INITIAL_RETRY_DELAY_MS,
      maxRetryDelayMs: MAX_RETRY_DELAY_MS,
      retryAfterMs,
      random: Math.random,
    });
    options.onRetry(reason, delayMs);
    await pause(delayMs);
  }
}

async function post(
  events: readonly UsageEvent[],
  { url, token }: EndpointOptions,
): Promise<Parameters<typeof verdictOf>[0]> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/cloudevents-batch+json' },
      body: JSON.stringify(events),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const excerpt = (await response.text()).slice(0, MAX_EXCERPT_LENGTH);
    const header = (name: string) => response.headers.get(name) ?? undefined;
    return {
      kind: 'status',
      status: response.status,
      retryAfter: header('retry-after'),
      date: header('date'),
      excerpt,
    };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { kind: 'failure', code: 'FETCH', message: cause instanceof Error ? cause.message : String(cause) };
  }
}
