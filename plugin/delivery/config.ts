import { isAbsolute, join, resolve } from 'node:path';
import { defaultNode, NODE_NAME } from '../../delivery/names.ts';
import type { MetricsAddress } from './metrics-server.ts';
import type { RequestsLogSettings } from './served/served.ts';
import type { FullPolicy } from './spool/budget.ts';
import type { SpoolSettings } from './spool/spool.ts';

/** What the environment of the plugin server says. Kong's own configuration says the rest, for each Delivery. */
export interface DeliveryConfig {
  /** undefined = events are kept in memory only. */
  readonly spool: SpoolSettings | undefined;
  /** How this gateway is called where its events arrive. */
  readonly node: string;
  /** Where the metrics are served; undefined = nowhere. */
  readonly metrics: MetricsAddress | undefined;
  /** Where the gateway writes down how many requests it has served; undefined = nowhere. */
  readonly requestsLog: RequestsLogSettings | undefined;
}

/** What was read, and what is wrong with the settings; wrong ones have their defaults. Values are not quoted. */
export interface ConfigReading {
  readonly config: DeliveryConfig;
  readonly problems: readonly string[];
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** The image's own prefix. */
const DEFAULT_PREFIX = '/usr/local/kong';
const LOOPBACK = '127.0.0.1';

/**
 * Reads the plugin server's environment:
 * METERING_SPOOL (on, off), METERING_SPOOL_DIR, METERING_SPOOL_MAX_BYTES (at least 1 MiB), METERING_SPOOL_SYNC_MS (0 to
 * 10,000), METERING_SPOOL_FULL (drop_newest, drop_oldest), METERING_CATCH_UP_EVENTS_PER_SECOND,
 * METERING_DEAD_LETTER_MAX_BYTES (at least 64 KiB), METERING_NODE, METERING_METRICS (port, or host:port),
 * METERING_REQUESTS_LOG (absolute), METERING_REQUESTS_LOG_INTERVAL_MS (100 to 3,600,000).
 * Empty ones count as unset.
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): ConfigReading {
  const problems: string[] = [];
  const text = (name: string) => (environment[name] === '' ? undefined : environment[name]);

  function choice<T extends string>(name: string, fallback: T, ...others: readonly T[]): T {
    const value = text(name);
    const known = [fallback, ...others].find((option) => option === (value ?? fallback));
    if (known === undefined) problems.push(`${name} must be ${[fallback, ...others].join(' or ')}`);
    return known ?? fallback;
  }

  function whole(name: string, fallback: number, least: number, most: number): number {
    const value = text(name);
    if (value === undefined) return fallback;
    const number = /^\d{1,15}$/.test(value) ? Number.parseInt(value, 10) : Number.NaN;
    if (number >= least && number <= most) return number;
    problems.push(`${name} must be a whole number from ${least} to ${most}`);
    return fallback;
  }

  const isOn = choice('METERING_SPOOL', 'on', 'off') === 'on';
  const spool: SpoolSettings = {
    dir: resolve(text('METERING_SPOOL_DIR') ?? join(text('KONG_PREFIX') ?? DEFAULT_PREFIX, 'metering-spool')),
    maxBytes: whole('METERING_SPOOL_MAX_BYTES', GIB, MIB, 1024 * GIB),
    // The time of an event that a crash may cost; past ten seconds a spool protects nobody.
    syncMs: whole('METERING_SPOOL_SYNC_MS', 20, 0, 10_000),
    full: choice<FullPolicy>('METERING_SPOOL_FULL', 'drop_newest', 'drop_oldest'),
    catchUpEventsPerSecond: whole('METERING_CATCH_UP_EVENTS_PER_SECOND', 10_000, 1, 1_000_000),
    deadLetterMaxBytes: whole('METERING_DEAD_LETTER_MAX_BYTES', 64 * MIB, 64 * KIB, 1024 * GIB),
  };
  const node = text('METERING_NODE') ?? defaultNode();
  if (!NODE_NAME.test(node)) problems.push('METERING_NODE must have 1 to 128 letters, digits or . : @ _ -');
  const metrics = readAddress(text('METERING_METRICS'), problems);
  // Three readings show a loss: five seconds apart, they last longer than a server that hangs.
  const intervalMs = whole('METERING_REQUESTS_LOG_INTERVAL_MS', 5000, 100, 3_600_000);
  const path = text('METERING_REQUESTS_LOG');
  if (path !== undefined && !isAbsolute(path)) problems.push('METERING_REQUESTS_LOG must be an absolute path');
  if (path !== undefined && !isOn) problems.push('METERING_REQUESTS_LOG has no effect with METERING_SPOOL=off');
  const isCounted = path !== undefined && isAbsolute(path) && isOn;
  const config = {
    spool: isOn ? spool : undefined,
    node: NODE_NAME.test(node) ? node : defaultNode(),
    metrics,
    requestsLog: isCounted ? { path, intervalMs } : undefined,
  };
  return { config, problems };
}

/** "9542", "127.0.0.1:9542", "[::]:9542". */
function readAddress(value: string | undefined, problems: string[]): MetricsAddress | undefined {
  if (value === undefined || value === 'off') return undefined;
  const [, bracketed, plain, digits = ''] = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):)?(\d{1,5})$/.exec(value) ?? [];
  const port = Number.parseInt(digits, 10);
  if (port <= 65_535) return { host: bracketed ?? plain ?? LOOPBACK, port };
  problems.push('METERING_METRICS must be a port, host:port or off');
  return undefined;
}
