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
  open(clock: Clock, options?: UsageStoreOptions): Promise<UsageStore>;
  remove(): Promise<void>;
}

/** An implementation of the port: the same tests hold for each. */
export interface UsageEngine {
  name: string;
  makePlace(): Promise<UsagePlace>;
  /** What an event is known again by. */
  identityOf(event: NewEvent): string;
}

const sqlite: UsageEngine = {
  name: 'SQLite',
  async makePlace() {
    const folder = mkdtempSync(join(tmpdir(), 'usage-'));
    return {
      open: (clock, { readers, ...options } = {}) =>
        openTestUsageStore(join(folder, 'usage.sqlite'), clock, {
          ...options,
          ...(readers !== undefined && { readerThreads: readers }),
        }),
      remove: async () => rmSync(folder, { recursive: true }),
    };
  },
  identityOf: ({ source, id }) => `${source}\0${id}`,
};

const postgres: UsageEngine = {
  name: 'PostgreSQL',
  async makePlace() {
    const { url, drop } = await createDatabase();
    return {
      open: (clock, { readers, rollups = {}, dedupeMemTableEntries: _, ...options } = {}) => {
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
      },
      remove: drop,
    };
  },
  // Within the month of its time; a faithful repetition has the same.
  identityOf: ({ source, id, timeMs }) => `${source}\0${id}\0${new Date(timeMs).toISOString().slice(0, 7)}`,
};

/** Each that this machine has. */
export const USAGE_ENGINES: readonly UsageEngine[] = hasPostgres ? [sqlite, postgres] : [sqlite];
