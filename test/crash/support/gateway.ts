import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import {
  connectProtobufPlayer,
  kongConfig,
  type Player,
  type PluginServer,
  recordings,
  startPluginServer,
  vary,
} from '../../gateway-player/index.ts';
import { INGEST_TOKEN } from './backend-process.ts';

const PLUGIN_DIR = join(import.meta.dirname, '../../../dist/plugin/metering-and-billing');
/** Connections, as many as a small gateway has requests in their log phase at a time. */
const CONNECTIONS = 8;
const PAUSE_MS = 4;
/** Named in an event that the backend's proxy refuses. */
export const BAD = '-bad-';
/** One in so many: each takes its batch apart, which costs a dozen requests. */
const BAD_EVERY = 500;

/** A plugin server with one instance of our plugin, and the connections of a gateway to it. */
export interface Gateway {
  readonly server: PluginServer;
  /** Starts an instance with other settings for the same endpoint, as a change of the configuration does. */
  reconfigure(): Promise<void>;
  /** Requests of that consumer, until it is stopped or the server is gone. */
  load(consumer: string): Load;
  close(): void;
}

/** Requests under way. */
export interface Load {
  /** When Kong was done with each, by request id. */
  readonly loggedAt: ReadonlyMap<string, number>;
  /** All that were begun. */
  readonly begun: ReadonlySet<string>;
  stop(): Promise<void>;
}

export interface GatewayOptions {
  readonly endpoint: string;
  readonly spoolDir: string;
  readonly socketPath: string;
}

/** A request with a consumer, without AI: one event. */
const entry = recordings().find(({ json }) => json.includes('"consumer":') && !json.includes('"ai":'))?.json ?? '';

export async function startGateway({ endpoint, spoolDir, socketPath }: GatewayOptions): Promise<Gateway> {
  const server = await startPluginServer({
    pluginDir: PLUGIN_DIR,
    socketPath,
    env: { METERING_SPOOL: 'on', METERING_SPOOL_DIR: spoolDir, METERING_NODE: 'crash-gateway' },
  });
  const player = connectProtobufPlayer(socketPath, { connections: CONNECTIONS });
  const instance = await player.startInstance('metering-and-billing', configFor(endpoint, 500));
  return {
    server,
    async reconfigure() {
      await player.startInstance('metering-and-billing', configFor(endpoint, 501));
    },
    load: (consumer) => startLoad(player, instance, consumer),
    close: () => player.close(),
  };
}

/** Retries in milliseconds, so that a round has many of them. */
function configFor(endpoint: string, timeoutMs: number): object {
  return kongConfig({
    ingest_endpoint: endpoint,
    api_token: INGEST_TOKEN,
    timeout: timeoutMs,
    queue: {
      max_batch_size: 50,
      max_coalescing_delay: 0.02,
      initial_retry_delay: 0.01,
      max_retry_delay: 0.05,
      breaker_cooldown: 0.1,
    },
  });
}

function startLoad(player: Player, instance: number, consumer: string): Load {
  const loggedAt = new Map<string, number>();
  const begun = new Set<string>();
  let isStopped = false;

  async function request(): Promise<void> {
    const requestId = `${consumer}${begun.size % BAD_EVERY === 7 ? BAD : '-'}${randomUUID()}`;
    const json = vary(entry, { requestId, consumer: { id: consumer, username: consumer } });
    begun.add(requestId);
    await player.logRequest(instance, json);
    loggedAt.set(requestId, performance.now());
  }

  async function connection(): Promise<void> {
    try {
      for (; !isStopped; await pause(PAUSE_MS)) await request();
    } catch {
      // The server is gone. Kong would start another one, as the test does.
    }
  }

  const connections = Array.from({ length: CONNECTIONS }, connection);
  return {
    loggedAt,
    begun,
    async stop() {
      isStopped = true;
      await Promise.all(connections);
    },
  };
}
