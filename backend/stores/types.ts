import type { UsageStore, UsageWatch } from '../metering/usage-store/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { ControlDb } from '../platform/db/control-db.ts';
import type { Leadership } from '../platform/leadership.ts';
import type { Logger } from '../platform/log.ts';
import type { DatabaseServer } from '../platform/postgres/server.ts';

/** Where a backend keeps everything. */
export interface Stores {
  db: ControlDb;
  /** @param clock what it goes by: read from `db` */
  openUsage(clock: Clock, watch: UsageWatch): Promise<UsageStore>;
  /** Of files: what they must have room on. */
  disk: { dataDir: string; minFreeBytes: number } | undefined;
  /** Of a database on a server: how that one does. */
  server: DatabaseServer | undefined;
  /** Which backend does what one of all has to do. */
  leadership: Leadership;
  /** Closes what is left when both databases are closed, or were never opened. */
  release(): Promise<void>;
}

/** For whoever opens them: what is told when there is no going on. */
export interface StoresWatch {
  log: Logger;
  endAtOnce(error: Error): void;
}
