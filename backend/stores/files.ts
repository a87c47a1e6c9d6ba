import { join } from 'node:path';
import type { Config } from '../config.ts';
import { openSqliteUsageStore } from '../metering/usage-store/index.ts';
import { claimDataFolder, type OwnedFolder } from '../own-data-folder.ts';
import { systemClock } from '../platform/clock.ts';
import { type ControlDb, openControlDb } from '../platform/db/control-db.ts';
import { ALONE } from '../platform/leadership.ts';
import { MIGRATIONS } from './migrations.ts';
import { sayTrouble } from './trouble.ts';
import type { Stores, StoresWatch } from './types.ts';

/** Takes the data folder and opens its databases. @throws FolderTaken, DataLost */
export async function openFiles(config: Config, { log, endAtOnce }: StoresWatch): Promise<Stores> {
  const { dataDir, minFreeDiskBytes: minFreeBytes } = config;
  const folder = claimDataFolder(config, systemClock.nowMs(), log);
  return {
    db: openOwned(folder, dataDir, endAtOnce),
    openUsage: (clock, watch) =>
      openSqliteUsageStore(join(dataDir, 'usage.sqlite'), clock, {
        ...config.usage,
        ownership: { ...folder, commits: folder.usageCommits },
        onDeath: endAtOnce,
        watch,
        onTrouble: sayTrouble(log),
      }),
    disk: { dataDir, minFreeBytes },
    server: undefined,
    leadership: ALONE,
    release: async () => folder.release(),
  };
}

/** First: where it is refused, no thread has been started yet. */
function openOwned(folder: OwnedFolder, dataDir: string, onLost: (error: Error) => void): ControlDb {
  try {
    return openControlDb(join(dataDir, 'control.sqlite'), MIGRATIONS, { ...folder, onLost });
  } catch (error) {
    folder.release();
    throw error;
  }
}
