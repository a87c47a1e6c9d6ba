import { setMaxListeners } from 'node:events';
import type { Clock } from '../delivery/clock.ts';
import type { Log } from '../delivery/log.ts';
import { createRareLog } from '../delivery/rare-log.ts';
import packageJson from '../package.json' with { type: 'json' };
import type { Config } from './config/read-config.ts';
import { type RunningCollector, startCollector } from './core/collector.ts';
import { type HttpServer, startHttpServer } from './core/http-server.ts';
import { createMetrics } from './core/metrics.ts';
import type { Span } from './core/source.ts';
import { openSpool, type Spool } from './core/spool.ts';

export interface RunSurroundings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Aborted when the process is asked to end. */
  readonly signal: AbortSignal;
}

/** How long to go on. */
export interface RunMode {
  /** Until all that is there has been read and delivered. */
  readonly once: boolean;
  /** Given: only this part of the past is read, whatever is known of it, and delivered. */
  readonly span?: Span | undefined;
}

/** Longer than any request takes that is worth waiting for; Kubernetes kills after 30 s. */
const STOP_MS = 10_000;
/** The endpoint took nothing for so long, although something waits: somebody should look. */
const SILENT_MS = 5 * 60_000;
/** A spool of which nine tenths are taken will soon hold up its sources. */
const ALMOST_FULL = 0.9;

/**
 * Runs the collectors of a configuration until the signal, or as the mode says. One that cannot go on ends all of them, in order.
 * @throws Error for the operator: the spool is in use, an address is taken, a source cannot go on
 */
export async function runCollectors(config: Config, mode: RunMode, surroundings: RunSurroundings): Promise<void> {
  const { clock, log } = surroundings;
  const spool = openSpool(config.buffer.path, config.buffer.maxBytes, clock);
  const rareLog = createRareLog(log, clock);
  const stopper = new AbortController();
  setMaxListeners(0, stopper.signal);
  const stop = () => stopper.abort();
  surroundings.signal.addEventListener('abort', stop, { once: true });
  if (surroundings.signal.aborted) stop();
  const once = mode.once || mode.span !== undefined;
  const shared = {
    ...surroundings,
    ...mode,
    spool,
    rareLog,
    once,
    version: packageJson.version,
    signal: stopper.signal,
  };
  const collectors = config.collectors.map(({ name, kind, kindName, settings, mapping, output }) =>
    startCollector({ name, kind: kindName, source: kind.create(settings, surroundings), mapping, output }, shared),
  );
  let server: HttpServer | undefined;
  try {
    const metrics = createMetrics(collectors, spool, clock);
    server = config.http && (await startHttpServer(config.http, metrics, () => notReady(collectors, spool, clock)));
    log('info', 'collecting', { collectors: collectors.map(({ name }) => name).join(', '), http: server?.address });
    await untilEnded(collectors, once, stopper);
  } finally {
    stop();
    surroundings.signal.removeEventListener('abort', stop);
    await Promise.allSettled(collectors.map(({ ended }) => ended));
    await Promise.all(collectors.map(({ sender }) => sender.stop(STOP_MS)));
    await Promise.all(collectors.map(({ reported }) => reported));
    await server?.close();
    spool.close();
    rareLog.flush();
  }
}

async function untilEnded(
  collectors: readonly RunningCollector[],
  once: boolean,
  stopper: AbortController,
): Promise<void> {
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  stopper.signal.addEventListener('abort', () => resolve(), { once: true });
  if (stopper.signal.aborted) resolve();
  await Promise.race([Promise.all(collectors.map(({ ended }) => ended)), stopped]);
  if (once && !stopper.signal.aborted) {
    await Promise.race([Promise.all(collectors.map(({ sender }) => sender.drain())), stopped]);
  }
}

function notReady(collectors: readonly RunningCollector[], spool: Spool, clock: Clock): string[] {
  const reasons = collectors.flatMap(({ name, part, sender, state }) => {
    const { lastSentAtMs } = sender.counts;
    const oldestAtMs = sender.oldestAtMs();
    const isSilent =
      part.counts.events > 0 &&
      clock.epochMs() - (lastSentAtMs ?? Number.NEGATIVE_INFINITY) > SILENT_MS &&
      clock.epochMs() - (oldestAtMs ?? clock.epochMs()) > SILENT_MS;
    return [
      ...(state.isReached ? [] : [`${name}: the source has not been reached`]),
      ...(sender.counts.isTokenRefused ? [`${name}: the endpoint refuses the token`] : []),
      ...(isSilent ? [`${name}: the endpoint has taken nothing for five minutes`] : []),
    ];
  });
  if (spool.bytes > spool.maxBytes * ALMOST_FULL) reasons.push('the spool is almost full');
  return reasons;
}
