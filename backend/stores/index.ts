import type { Config } from '../config.ts';
import type { UsageStore, UsageWatch } from '../metering/usage-store/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { ControlDb } from '../platform/db/control-db.ts';
import type { Logger } from '../platform/log.ts';
import type { DatabaseServer } from '../platform/postgres/server.ts';
import { openFiles } from './files.ts';
import { openServer } from './server.ts';

/** Where a backend keeps everything. */
export interface Stores {
  db: ControlDb;
  /** @param clock what it goes by: read from `db` */
  openUsage(clock: Clock, watch: UsageWatch): Promise<UsageStore>;
  /** Of files: what they must have room on. */
  disk: { dataDir: string; minFreeBytes: number } | undefined;
  /** Of a database on a server: how that one does. */
  server: DatabaseServer | undefined;
  /** Closes what is left when both databases are closed, or were never opened. */
  release(): Promise<void>;
}

/** For whoever opens them: what is told when there is no going on. */
export interface StoresWatch {
  log: Logger;
  endAtOnce(error: Error): void;
}

/** Opens what the settings name: PostgreSQL by DATABASE_URL, or else files in DATA_DIR. @throws FolderTaken, DataLost */
export function openStores(config: Config, watch: StoresWatch): Promise<Stores> {
  return config.databaseUrl === undefined ? openFiles(config, watch) : openServer(config.databaseUrl, config, watch);
}
