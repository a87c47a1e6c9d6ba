import { expect, onTestFinished, vi } from 'vitest';
import { type Clock, systemClock } from '../../../delivery/clock.ts';
import { createDeliveries, type Deliveries } from '../../../plugin/delivery/deliveries.ts';
import type { Deliverable, Delivery, DeliverySettings, QueueSettings } from '../../../plugin/delivery/index.ts';
import type { SpoolFiles } from '../../../plugin/delivery/spool/files.ts';
import type { SpoolSettings } from '../../../plugin/delivery/spool/spool.ts';
import {
  accepting,
  type IngestServer,
  type IngestServerOptions,
  type Respond,
  startIngestServer,
} from './ingest-server.ts';

export const TOKEN = 'kpat_5ecretT0ken';

export type LogLine = { level: string; msg: string } & Record<string, unknown>;

export type SettingsOverrides = Partial<Omit<DeliverySettings, 'queue'>> & { queue?: Partial<QueueSettings> };

/** Kong's own defaults, but for retries that are worth a test's time. */
export function settingsFor(endpoint: string, overrides: SettingsOverrides = {}): DeliverySettings {
  return {
    endpoint,
    token: TOKEN,
    timeoutMs: 10_000,
    keepaliveMs: 60_000,
    sslVerify: true,
    ...overrides,
    queue: {
      maxBatchSize: 100,
      maxCoalescingDelayMs: 1000,
      maxEntries: 10_000,
      initialRetryDelayMs: 10,
      maxRetryDelayMs: 60_000,
      maxRetryTimeMs: 60_000,
      concurrencyLimit: 1,
      failureThreshold: 0,
      breakerCooldownMs: 10_000,
      ...overrides.queue,
    },
  };
}

export interface Rig {
  readonly deliveries: Deliveries;
  readonly delivery: Delivery;
  /** Every log line so far, parsed. */
  readonly lines: LogLine[];
  linesOf(msg: string): LogLine[];
}

export interface RigOptions extends SettingsOverrides {
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Events are kept in memory only when absent. */
  readonly spool?: SpoolSettings;
  readonly files?: SpoolFiles;
  readonly node?: string;
}

/** Deliveries of their own for one test, ended with it. */
export function createRig(endpoint: string, options: RigOptions = {}): Rig {
  const { clock = systemClock, random = Math.random, spool, files, node, ...overrides } = options;
  const lines: LogLine[] = [];
  const sink = (line: string) => lines.push(JSON.parse(line) as LogLine);
  const deliveries = createDeliveries({ clock, random, sink, spool, files, node });
  // The deadline timer of a clock that stands still would never fire.
  onTestFinished(async () => {
    const stopped = deliveries.stop(0);
    if ('advance' in clock && typeof clock.advance === 'function') clock.advance(0);
    await stopped;
  });
  const delivery = deliveries.open(settingsFor(endpoint, overrides));
  return { deliveries, delivery, lines, linesOf: (msg) => lines.filter((line) => line.msg === msg) };
}

export function event(id: string, padding = ''): Deliverable {
  return { json: JSON.stringify({ specversion: '1.0', id, type: 'kong.api_request', data: { padding } }) };
}

/** Ids "prefix0" … */
export function ids(count: number, prefix = 'e'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

export function pushAll(delivery: Delivery, pushed: readonly string[]): void {
  for (const id of pushed) delivery.push(event(id));
}

/** Waits for a condition, looking often. */
export function until(assertion: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(assertion, { timeout: 20_000, interval: 2 });
}

/** An ingest server for one test, closed with it. */
export async function serve(respond: Respond = accepting, options: IngestServerOptions = {}): Promise<IngestServer> {
  const server = await startIngestServer(respond, options);
  onTestFinished(() => server.close());
  return server;
}

/** Lets everything that is ready to be sent arrive: a request of another delivery goes all the way and back. */
export async function barrier(): Promise<void> {
  const server = await serve();
  const { delivery } = createRig(server.url, { queue: { maxBatchSize: 1 } });
  delivery.push(event('barrier'));
  await until(() => expect(server.accepted).toEqual(['barrier']));
}
