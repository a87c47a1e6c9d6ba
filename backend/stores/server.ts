import { mkdirSync } from 'node:fs';
import type { Config } from '../config.ts';
import { openPostgresUsageStore } from '../metering/usage-store/index.ts';
import { openPostgresControlDb } from '../platform/db/postgres-control-db.ts';
import { startLeadership } from '../platform/postgres/leadership.ts';
import { MIGRATIONS } from './migrations.ts';
import { sayTrouble } from './trouble.ts';
import type { Stores, StoresWatch } from './types.ts';

/** The lock of whoever leads. */
const LEADER = 0x6c656164;

/** Opens both on one PostgreSQL database, in a schema each. The data folder has the first token only. */
export async function openServer(
  url: string,
  { dataDir, usage: { readerThreads, ...limits } }: Config,
  { log }: StoresWatch,
): Promise<Stores> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const db = await openPostgresControlDb(url, MIGRATIONS);
  try {
    for (const warning of await db.server.warnings()) log.warn(warning);
  } catch (error) {
    await db.close();
    throw error;
  }
  const leadership = startLeadership(url, LEADER);
  return {
    db,
    openUsage: (clock, watch) =>
      openPostgresUsageStore(url, clock, {
        ...limits,
        readerConnections: readerThreads,
        watch,
        onTrouble: sayTrouble(log),
      }),
    disk: undefined,
    server: db.server,
    leadership,
    release: leadership.stop,
  };
}
