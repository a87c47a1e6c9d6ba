import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AnswerOrigin, NewEvent, UsageStore, UsageWatch } from '../../backend/metering/usage-store/index.ts';
import { openPostgresUsageStore } from '../../backend/metering/usage-store/postgres/postgres-usage-store.ts';
import type { Clock } from '../../backend/platform/clock.ts';
import { createDatabase, hasPostgres } from './postgres-cluster.ts';
import { openTestUsageStore } from './usage-store.ts';

/** What tests ask of either engine; sizes have the names of SQLite's. */
export interface UsageStoreOptions {
  readers?: number;
  maxWaitingQueries?: number;
  queryTimeoutMs?: number;
  maxResultRows?: number;
  maxResultCharacters?: number;
  maxQueuedEvents?: number;
  dedupeMemTableEntries?: number;
  correctionSliceEvents?: number;
  rollups?: {
    generationEvents?: number;
    generationDeltas?: number;
    foldRowsPerStep?: number;
    backFillEventsPerStep?: number;
    foldRowsPerEvent?: number;
    maxDimensionValues?: number;
  };
  onTrouble?: (reason: string) => void;
  onAnswer?: (origin: AnswerOrigin) => void;
  watch?: UsageWatch;
}

/** Where one store's data is, whoever has it open. */
export interface UsagePlace {
  /** For another process, which opens it with `openUsageAt`. */
  address: string;
  open(clock: Clock, options?: UsageStoreOptions): Promise<UsageStore>;
  remove(): Promise<void>;
}

/** An implementation of the port: the same tests hold for each. */
export interface UsageEngine {
  name: string;
  /** How many processes may have a place open at the same time, as far as tests go. */
  writers: number;
  makePlace(): Promise<UsagePlace>;
  /** What an event is known again by. */
  identityOf(event: NewEvent): string;
}

function openSqlite(path: string, clock: Clock, { readers, ...options }: UsageStoreOptions = {}): Promise<UsageStore> {
  return openTestUsageStore(path, clock, {
    ...options,
    ...(readers !== undefined && { readerThreads: readers }),
  });
}

function openPostgres(
  url: string,
  clock: Clock,
  { readers, rollups = {}, dedupeMemTableEntries: _, ...options }: UsageStoreOptions = {},
): Promise<UsageStore> {
  const { generationEvents, backFillEventsPerStep, maxDimensionValues } = rollups;
  return openPostgresUsageStore(url, clock, {
    ...options,
    ...(readers !== undefined && { readerConnections: readers }),
    upkeep: {
      ...(generationEvents !== undefined && { foldEventsPerStep: generationEvents }),
      ...(backFillEventsPerStep !== undefined && { backFillEventsPerStep }),
      ...(maxDimensionValues !== undefined && { maxDimensionValues }),
    },
  });
}

/** Opens a place by its address. */
export function openUsageAt(address: string, clock: Clock, options?: UsageStoreOptions): Promise<UsageStore> {
  return (address.startsWith('postgres://') ? openPostgres : openSqlite)(address, clock, options);
}

const sqlite: UsageEngine = {
  name: 'SQLite',
  writers: 1,
  async makePlace() {
    const folder = mkdtempSync(join(tmpdir(), 'usage-'));
    const address = join(folder, 'usage.sqlite');
    return {
      address,
      open: (clock, options) => openUsageAt(address, clock, options),
      remove: async () => rmSync(folder, { recursive: true }),
    };
  },
  identityOf: ({ source, id }) => `${source}\0${id}`,
};

const postgres: UsageEngine = {
  name: 'PostgreSQL',
  writers: 3,
  async makePlace() {
    const { url, drop } = await createDatabase();
    return { address: url, open: (clock, options) => openUsageAt(url, clock, options), remove: drop };
  },
  // Within the month of its time; a faithful repetition has the same.
  identityOf: ({ source, id, timeMs }) => `${source}\0${id}\0${new Date(timeMs).toISOString().slice(0, 7)}`,
};

/** Each that this machine has. */
export const USAGE_ENGINES: readonly UsageEngine[] = hasPostgres ? [sqlite, postgres] : [sqlite];
