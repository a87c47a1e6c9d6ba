import type { LastBillingRun } from '../billing/billing-runs/index.ts';
import type { UsageStore } from '../metering/usage-store/index.ts';
import type { ControlDb } from '../platform/db/control-db.ts';
import { freeDiskBytes } from '../platform/disk.ts';
import { formatInstant } from '../platform/instant.ts';
import type { JobLog } from '../platform/job-log.ts';
import type { DatabaseServer } from '../platform/postgres/server.ts';
import { type MachineClock, WAITING } from './machine-clock/index.ts';

/** `failed`: no requests should come. `degraded`: they are answered rightly, but somebody should look. */
export type CheckStatus = 'ok' | 'degraded' | 'failed';

export interface CheckResult {
  status: CheckStatus;
  /** For people, without data of customers. */
  detail?: string;
}

export interface Readiness {
  status: 'ready' | 'degraded' | 'not ready';
  checks: Readonly<Record<string, CheckResult>>;
}

export interface ReadinessParts {
  usage: UsageStore;
  db: ControlDb;
  jobs: JobLog;
  lastBillingRun(): Promise<LastBillingRun | undefined>;
  disk: { dataDir: string; minFreeBytes: number } | undefined;
  server: DatabaseServer | undefined;
  clock: Pick<MachineClock, 'state'> | undefined;
}

/** undefined: there is no such part. */
type Check = (parts: ReadinessParts) => Promise<CheckResult | undefined>;

/** Shorter than what probes wait: a store that hangs is to be named, not to be a time-out. */
const TIMEOUT_MS = 2000;
/** So much more than needed, and the disk is worth a look. */
const DISK_WARNING_FACTOR = 2;

/** Beyond it another backend may find no connection. */
const CONNECTIONS_WARNING_SHARE = 0.9;

const CHECKS: Readonly<Record<string, Check>> = {
  usage_store: async ({ usage }) => {
    await usage.check();
    return { status: 'ok' };
  },
  control_database: async ({ db }) => {
    await db.check();
    return { status: 'ok' };
  },
  migrations: async ({ usage, db }) => {
    const unknown = [...(await db.unknownMigrations()), ...(await usage.upkeep()).unknownMigrations];
    if (unknown.length === 0) return { status: 'ok' };
    return { status: 'failed', detail: `a newer program has migrated the databases: ${unknown.join(', ')}` };
  },
  disk: async ({ disk, server }) => {
    if (server !== undefined) return undefined;
    if (disk === undefined) return { status: 'ok' };
    const freeBytes = await freeDiskBytes(disk.dataDir);
    const detail = `${freeBytes} bytes are free; MIN_FREE_DISK_BYTES is ${disk.minFreeBytes}`;
    if (freeBytes < disk.minFreeBytes) return { status: 'failed', detail };
    return { status: freeBytes < disk.minFreeBytes * DISK_WARNING_FACTOR ? 'degraded' : 'ok', detail };
  },
  database_server: async ({ server }) => {
    if (server === undefined) return undefined;
    const { isReadOnly, connections, maxConnections } = await server.state();
    if (isReadOnly) return { status: 'failed', detail: 'it takes no writes: is it a standby?' };
    const detail = `${connections} of ${maxConnections} connections are used`;
    return { status: connections > maxConnections * CONNECTIONS_WARNING_SHARE ? 'degraded' : 'ok', detail };
  },
  clock: async ({ clock }) => {
    const state = clock?.state();
    if (state === undefined || !state.isHeld) return { status: 'ok' };
    const times = `the machine's clock says ${formatInstant(state.machineMs)}, which cannot be: by what has passed it is`;
    return { status: 'degraded', detail: `${times} ${formatInstant(state.nowMs)}; ${WAITING}` };
  },
  back_fill: async ({ usage }) => {
    const { backFillingMeters: meters, backFillEventsLeft: events } = await usage.upkeep();
    // Queries read events until it is done, with the same answers.
    return { status: 'ok', ...(meters > 0 && { detail: `${meters} meters, ${events} events to look at` }) };
  },
  jobs: async ({ jobs }) => {
    const failing = [...jobs.states()].filter(([, state]) => state.hasLastFailed).map(([name]) => name);
    if (failing.length === 0) return { status: 'ok' };
    return { status: 'degraded', detail: `failed when they last ran: ${failing.join(', ')}; the log has the cause` };
  },
  billing: async ({ lastBillingRun }) => {
    const run = await lastBillingRun();
    if (run === undefined || run.failed === 0) return { status: 'ok' };
    const detail = `the last run failed for ${run.failed} of ${run.done} customers and invoices; see billing/runs`;
    return { status: 'degraded', detail };
  },
};

/** A part that is at work answers late; one that does not answer for so long hangs. */
const STUCK_MS = 30_000;

/** Checks that have not answered yet, by the store that they are about: they are not asked again meanwhile. */
const pending = new WeakMap<object, Map<string, { work: Promise<CheckResult | undefined>; sinceMs: number }>>();

function begun(
  parts: ReadinessParts,
  name: string,
  check: Check,
): { work: Promise<CheckResult | undefined>; sinceMs: number } {
  const ofStore =
    pending.get(parts.usage) ?? new Map<string, { work: Promise<CheckResult | undefined>; sinceMs: number }>();
  pending.set(parts.usage, ofStore);
  const known = ofStore.get(name);
  if (known !== undefined) return known;
  const entry = { work: check(parts).finally(() => ofStore.delete(name)), sinceMs: performance.now() };
  ofStore.set(name, entry);
  return entry;
}

/** Looks at everything that requests need. Never throws. @param onError told what a check threw */
export async function checkReadiness(
  parts: ReadinessParts,
  onError: (check: string, error: unknown) => void,
  timeoutMs = TIMEOUT_MS,
): Promise<Readiness> {
  const results = await Promise.all(
    Object.entries(CHECKS).map(async ([name, check]) => {
      const result = await withinTime(begun(parts, name, check), timeoutMs).catch((error: unknown): CheckResult => {
        onError(name, error);
        return { status: 'failed', detail: 'see the log' };
      });
      return [name, result] as const;
    }),
  );
  const found = results.flatMap(([name, result]) => (result === undefined ? [] : [[name, result] as const]));
  const statuses = found.map(([, { status }]) => status);
  const status = statuses.includes('failed') ? 'not ready' : statuses.includes('degraded') ? 'degraded' : 'ready';
  return { status, checks: Object.fromEntries(found) };
}

/** Busy is not broken: requests are answered, only later. */
async function withinTime(
  { work, sinceMs }: { work: Promise<CheckResult | undefined>; sinceMs: number },
  timeoutMs: number,
): Promise<CheckResult | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<CheckResult>((resolve) => {
    timer = setTimeout(() => {
      const waitedMs = Math.round(performance.now() - sinceMs);
      const detail = `no answer in ${waitedMs} ms`;
      resolve(waitedMs < STUCK_MS ? { status: 'degraded', detail: `busy: ${detail}` } : { status: 'failed', detail });
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
