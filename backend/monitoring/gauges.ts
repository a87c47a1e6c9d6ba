import { join } from 'node:path';
import type { Gauge, Registry } from 'prom-client';
import type { LastBillingRun } from '../billing/billing-runs/index.ts';
import type { UsageStore } from '../metering/usage-store/index.ts';
import { fileBytes, freeDiskBytes } from '../platform/disk.ts';
import type { JobLog } from '../platform/job-log.ts';
import type { DatabaseServer } from '../platform/postgres/server.ts';
import { counter, gauge } from './metrics.ts';

/** Where the figures are read from. */
export interface WatchedParts {
  usage: UsageStore;
  jobs: JobLog;
  lastBillingRun(): Promise<LastBillingRun | undefined>;
  /** Folder of the databases; undefined: nothing is said of the disk. */
  dataDir: string | undefined;
  /** Of the databases; undefined: they are files. */
  server: DatabaseServer | undefined;
}

type Read = (parts: WatchedParts) => Promise<void> | void;

/**
 * Gauges that are read when somebody asks, those of the disk or those of the server that the databases are on. One source that fails leaves out its own figures and is counted; the others
 * are told all the same, for they are what shows why.
 */
export function createGauges(
  registry: Registry,
  where: 'files' | 'server' = 'files',
): (parts: WatchedParts) => Promise<void> {
  const failed = counter(registry, 'metrics_errors_total', 'Figures that could not be read, by source.', ['source']);
  const sources: Record<string, Read> = {
    load: readLoad(registry),
    upkeep: readUpkeep(registry),
    jobs: readJobs(registry),
    billing: readBilling(registry),
    ...(where === 'files' ? { disk: readDisk(registry) } : { server: readServer(registry) }),
  };
  return async (parts) => {
    for (const [source, read] of Object.entries(sources)) {
      try {
        await read(parts);
      } catch {
        failed.inc({ source });
      }
    }
  };
}

function readLoad(registry: Registry): Read {
  const queued = gauge(registry, 'ingest_queue_events', 'Events taken and not yet on disk.');
  const maxQueued = gauge(registry, 'ingest_queue_max_events', 'More are refused with 503.');
  const running = gauge(registry, 'queries_running', 'Questions to the usage store that run.');
  const threads = gauge(registry, 'query_threads', 'As many questions run at the same time.');
  const waiting = gauge(registry, 'queries_waiting', 'Questions that wait for a thread.');
  const maxWaiting = gauge(registry, 'queries_max_waiting', 'More are refused with 503.');
  return ({ usage }) => {
    const load = usage.load();
    queued.set(load.queuedEvents);
    maxQueued.set(load.maxQueuedEvents);
    running.set(load.runningQuestions);
    threads.set(load.readerThreads);
    waiting.set(load.waitingQuestions);
    maxWaiting.set(load.maxWaitingQuestions);
  };
}

function readUpkeep(registry: Registry): Read {
  const unfolded = gauge(registry, 'rollup_unfolded_events', 'Events of all meters not yet folded into roll-ups.');
  const meters = gauge(registry, 'back_fill_meters', 'Meters whose older events are being counted.');
  const left = gauge(registry, 'back_fill_events_left', 'Stored events that back-fills have still to look at.');
  const quarters = gauge(registry, 'recompute_quarters_left', 'Quarters of an hour to be computed anew.');
  const all = [unfolded, meters, left, quarters];
  return async ({ usage }) => {
    forget(all);
    const upkeep = await usage.upkeep();
    unfolded.set(upkeep.unfoldedEvents);
    meters.set(upkeep.backFillingMeters);
    left.set(upkeep.backFillEventsLeft);
    quarters.set(upkeep.quartersToRecompute);
  };
}

function readJobs(registry: Registry): Read {
  const runs = counter(registry, 'job_runs_total', 'Runs of a job, by how they ended.', ['job', 'outcome']);
  const success = gauge(registry, 'job_last_success_timestamp_seconds', 'When a job last succeeded.', ['job']);
  const took = gauge(registry, 'job_last_duration_seconds', 'How long the last run of a job took.', ['job']);
  return ({ jobs }) => {
    runs.reset();
    for (const [job, state] of jobs.states()) {
      runs.inc({ job, outcome: 'succeeded' }, state.succeeded);
      runs.inc({ job, outcome: 'failed' }, state.failed);
      took.set({ job }, state.lastTookMs / 1000);
      if (state.lastSuccessAtMs !== undefined) success.set({ job }, state.lastSuccessAtMs / 1000);
    }
  };
}

function readBilling(registry: Registry): Read {
  const finished = gauge(registry, 'billing_run_finished_timestamp_seconds', 'When the last billing run ended.');
  const took = gauge(registry, 'billing_run_duration_seconds', 'How long it took.');
  const items = gauge(registry, 'billing_run_items', 'Customers and invoices in it, by how it went.', ['outcome']);
  return async ({ lastBillingRun }) => {
    forget([finished, took]);
    items.reset();
    const run = await lastBillingRun();
    if (run === undefined) return;
    finished.set(run.finishedAtMs / 1000);
    took.set((run.finishedAtMs - run.createdAtMs) / 1000);
    items.set({ outcome: 'done' }, run.done - run.failed);
    items.set({ outcome: 'failed' }, run.failed);
  };
}

function readDisk(registry: Registry): Read {
  const database = gauge(registry, 'database_bytes', 'Size of a database file.', ['database']);
  const wal = gauge(registry, 'database_wal_bytes', "Size of a database's write-ahead log.", ['database']);
  const free = gauge(registry, 'disk_free_bytes', 'What is left on the disk of the databases.');
  return async ({ dataDir }) => {
    if (dataDir === undefined) return;
    for (const name of ['usage', 'control']) {
      const path = join(dataDir, `${name}.sqlite`);
      database.set({ database: name }, fileBytes(path));
      wal.set({ database: name }, fileBytes(`${path}-wal`));
    }
    free.set(await freeDiskBytes(dataDir));
  };
}

function readServer(registry: Registry): Read {
  const bytes = gauge(registry, 'database_server_bytes', 'Size of the database on the server.');
  const connections = gauge(registry, 'database_server_connections', "The server's connections, of all its clients.");
  const max = gauge(registry, 'database_server_max_connections', 'More are refused.');
  const oldest = gauge(registry, 'database_server_oldest_transaction_seconds', 'How long the oldest transaction runs.');
  return async ({ server }) => {
    if (server === undefined) return;
    forget([bytes, connections, max, oldest]);
    const state = await server.state();
    bytes.set(state.databaseBytes);
    connections.set(state.connections);
    max.set(state.maxConnections);
    oldest.set(state.oldestTransactionSeconds);
  };
}

/** What cannot be read is told as no number: the figure of before, or a 0, would look like a new one. */
function forget(gauges: readonly Gauge<string>[]): void {
  for (const one of gauges) one.set(Number.NaN);
}
