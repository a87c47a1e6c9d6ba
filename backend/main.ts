import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ServerType, serve } from '@hono/node-server';
import { createAccessTokens } from './access/access-tokens/index.ts';
import { type Backend, createBackend, startRollups } from './app.ts';
import { type Config, ConfigError, configWarnings, loadConfig } from './config.ts';
import { createEventExpiry } from './event-expiry.ts';
import type { UsageStore } from './metering/usage-store/index.ts';
import { type MachineClock, openMachineClock } from './monitoring/machine-clock/index.ts';
import { createMetrics, type Metrics, processMetrics } from './monitoring/metrics.ts';
import { systemClock } from './platform/clock.ts';
import { continueWhenRead } from './platform/http/expect-continue.ts';
import { leaveUnreadAnswers } from './platform/http/unread-answers.ts';
import { createIds } from './platform/ids.ts';
import { createJobLog, type TrackJob } from './platform/job-log.ts';
import type { Leadership } from './platform/leadership.ts';
import { createLogger, type Logger } from './platform/log.ts';
import { createScope } from './platform/scope.ts';
import { startRetention } from './retention.ts';
import { openStores, type Stores } from './stores/index.ts';

const CONSOLE = fileURLToPath(new URL('../dist/console', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../package.json', import.meta.url));

/** At a shutdown: soon enough to be no wait, and no work beside requests that are still running. */
const CLOSE_IDLE_EVERY_MS = 50;

/** A whole request has to arrive within this: the largest body does at 1.4 Mbit/s. Who sends more slowly holds memory. */
const REQUEST_TIMEOUT_MS = 60_000;
/** How often requests that do not arrive are looked for. */
const TIMEOUT_CHECK_MS = 5000;

/** A backend that runs. */
export interface RunningBackend {
  /** Base address, "http://127.0.0.1:8888". */
  url: string;
  /** The admin token, when this start made one. */
  firstToken: string | undefined;
  /** Finishes the requests that were begun, then closes the databases. */
  stop(): Promise<void>;
}

/** Opens the databases and listens. @throws FolderTaken, DataLost */
export async function startBackend(config: Config, log: Logger): Promise<RunningBackend> {
  const stores = await openStores(config, { log, endAtOnce: (error) => endAtOnce(log, error) });
  try {
    return await startWith(stores, config, log);
  } catch (error) {
    await stores.db.close().catch(() => {});
    await stores.release();
    throw error;
  }
}

async function startWith(stores: Stores, config: Config, log: Logger): Promise<RunningBackend> {
  const { db } = stores;
  const { maxClockJumpMs: maxJumpMs } = config;
  const counterMs = () => performance.now();
  const machineClock = await openMachineClock({ db, machine: systemClock, counterMs, maxJumpMs, log });
  const metrics = createMetrics();
  processMetrics();
  const usage = await stores.openUsage(machineClock.clock, metrics.usage);
  try {
    return await serveFrom(stores, { usage, machineClock, metrics }, config, log);
  } catch (error) {
    await machineClock.stop();
    await usage.close();
    throw error;
  }
}

async function serveFrom(
  stores: Stores,
  { usage, machineClock, metrics }: { usage: UsageStore; machineClock: MachineClock; metrics: Metrics },
  config: Config,
  log: Logger,
): Promise<RunningBackend> {
  const { db } = stores;
  const { clock } = machineClock;
  const newId = createIds(clock);
  const jobs = createJobLog(clock);
  const tokens = await createAccessTokens({
    scope: createScope({ db, clock, newId, log }),
    configured: config.tokens,
    isShared: stores.server !== undefined,
  });
  const firstToken = await tokens.createFirstToken(join(config.dataDir, 'admin-token'));
  await startRollups({ usage, db });
  const { maxBodyBytes, maxBodyBytesInFlight } = config;
  const backend = createBackend({
    usage,
    db,
    clock,
    newId,
    log,
    tokens,
    signIn: config.signIn,
    kongAdmin: config.kongAdmin,
    maxBodyBytes,
    maxEventDataBytes: config.maxEventDataBytes,
    maxBodyBytesInFlight,
    requestsAMinute: config.requestsAMinute,
    metrics,
    metricsAccess: config.metrics,
    jobs,
    machineClock,
    leadership: stores.leadership,
    disk: stores.disk,
    server: stores.server,
    documentFontsDir: config.documentFontsDir,
    notifications: config.notifications,
    secretsKeys: config.notifications.secretsKeys,
    stripe: { apiUrl: config.stripeApiUrl },
    version: readVersion(),
    consoleDir: CONSOLE,
  });
  // Costs 100 ms of computing once: here, where nobody waits.
  await backend.app.request('/openapi.json');
  const server = await listen(backend.app.fetch, config);
  const { track } = jobs;
  const stopJobs = schedule(backend, track, stores.server === undefined);
  const stopRetention = removeOld({ config, usage, backend, machineClock, log, track, leadership: stores.leadership });
  return {
    url: urlOf(server, config),
    firstToken,
    stop: async () => {
      await closeServer(server, config.shutdownTimeoutMs, log);
      await stopJobs();
      await stopRetention();
      await machineClock.stop();
      await usage.close();
      await tokens.close();
      await db.close();
      await stores.release();
    },
  };
}

/** What runs beside the answers. @param isAlone no other backend is on the database @returns ends it, when it can be left */
function schedule(
  { billingRuns, notifications, outgoing }: ReturnType<typeof createBackend>,
  track: TrackJob,
  isAlone: boolean,
): () => Promise<void> {
  const stops = [
    billingRuns.schedule(track),
    notifications.thresholds.schedule(track),
    notifications.sender.schedule(track, isAlone),
    outgoing.schedule(track),
  ];
  return async () => {
    for (const stop of stops) await stop();
    await notifications.close();
  };
}

function readVersion(): string {
  return (JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version;
}

function urlOf(server: ServerType, config: Config): string {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : config.port;
  return `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;
}

/**
 * Without the thread that writes, or without the data folder, every answer would be a failure: whoever runs the process
 * shall start it anew. Nothing is tidied up: what was answered for is on disk, and what is not must not be.
 */
function endAtOnce(log: Logger, error: Error): void {
  log.fatal({ err: error }, 'the backend cannot go on and ends');
  process.stderr.write(`The backend cannot go on and ends: ${error.message}\n`);
  process.exit(1);
}

function removeOld(deps: {
  config: Config;
  usage: UsageStore;
  backend: Pick<Backend, 'usageNeededFromMs' | 'auditLog' | 'notifications'>;
  machineClock: MachineClock;
  log: Logger;
  track: TrackJob;
  leadership: Leadership;
}): () => Promise<void> {
  const { config, usage, backend, machineClock, ...shared } = deps;
  const { usageNeededFromMs, auditLog, notifications } = backend;
  const { eventRetentionDays: eventDays, auditLogRetentionDays: auditDays } = config;
  const remove = (job: string, what: string, some: () => Promise<{ removed: number; state: string }>) => {
    const removeSome = async () => (machineClock.state().isHeld ? { removed: 0, state: 'waiting' } : some());
    return startRetention({ ...shared, job, what, removeSome });
  };
  const stops = [
    remove('audit-log-retention', 'audit entries', () => auditLog.expire(auditDays)),
    remove('notification-retention', 'notifications', () => notifications.expire(config.notifications.retentionDays)),
  ];
  if (eventDays !== undefined) {
    const { clock } = machineClock;
    stops.push(remove('retention', 'events', createEventExpiry({ usage, usageNeededFromMs, clock, days: eventDays })));
  }
  return async () => {
    for (const stop of stops) await stop();
  };
}

/** The entry of "npm start": runs until SIGTERM or SIGINT. */
export async function main(): Promise<void> {
  // Databases are readable by their owner only; they hold what customers did.
  process.umask(0o077);
  const config = readConfig();
  const log = createLogger(config.logLevel);
  for (const warning of configWarnings()) log.warn(warning);
  const backend = await startOrEnd(config, log);
  if (backend.firstToken !== undefined) {
    // The only time that a token is printed: nobody could sign in otherwise. The log is for machines, this is for people.
    process.stderr.write(
      `\nNo access token is configured. This admin token was made for you and is kept in ${join(config.dataDir, 'admin-token')}:\n\n  ${backend.firstToken}\n\n`,
    );
  }
  const stop = (signal: string) => {
    log.info({ signal }, 'stopping');
    backend.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.fatal({ err: error }, 'could not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', () => stop('SIGTERM'));
  process.once('SIGINT', () => stop('SIGINT'));
  // Last: whoever waits for this line may send a signal at once.
  log.info({ url: backend.url, dataDir: config.dataDir }, 'listening');
}

/** What prevents a start is mostly for people: a port that is taken, a folder that is not ours, a newer database. */
async function startOrEnd(config: Config, log: Logger): Promise<RunningBackend> {
  try {
    return await startBackend(config, log);
  } catch (error) {
    log.fatal({ err: error }, 'could not start');
    process.stderr.write(`The backend could not start: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

function readConfig(): Config {
  try {
    return loadConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`The configuration is not valid:\n${error.message}\n`);
    process.exit(1);
  }
}

function listen(fetch: Parameters<typeof serve>[0]['fetch'], config: Config): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const serverOptions = {
      keepAliveTimeout: config.keepAliveTimeoutMs,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    };
    const server = serve({ fetch, hostname: config.host, port: config.port, serverOptions }, () => resolve(server));
    continueWhenRead(server as Server);
    leaveUnreadAnswers(server as Server);
    server.once('error', reject);
  });
}

/** Takes no new requests, lets the running ones end, and cuts what is left after the timeout. */
function closeServer(server: ServerType, timeoutMs: number, log: Logger): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      log.warn({ timeoutMs }, 'requests still running at shutdown are cut');
      if ('closeAllConnections' in server) server.closeAllConnections();
    }, timeoutMs);
    // A connection that is kept alive would hold up the end for seconds after its last answer.
    const closeIdle = () => 'closeIdleConnections' in server && server.closeIdleConnections();
    const sweep = setInterval(closeIdle, CLOSE_IDLE_EVERY_MS);
    server.close(() => {
      clearTimeout(timer);
      clearInterval(sweep);
      resolve();
    });
    closeIdle();
  });
}
