import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';

/** Looks at the databases of a backend from outside. */
export interface Stores {
  /** Another text after anything was committed to either database, whatever it was. */
  versions(): string;
  /** Of every row of every table. */
  digest(): string;
  /** Returns when nobody commits any more. */
  settled(): Promise<void>;
  close(): void;
}

/** @param dataDir of a running backend */
export function watchStores(dataDir: string): Stores {
  const databases = ['control.sqlite', 'usage.sqlite'].map(
    (file) => new Database(join(dataDir, file), { readonly: true }),
  );
  const versions = () => databases.map((database) => database.pragma('data_version', { simple: true })).join(' ');
  return {
    versions,
    digest: () => {
      const hash = createHash('sha256');
      for (const database of databases) {
        const tables = database
          .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
          .pluck()
          .all() as string[];
        for (const table of tables.sort()) {
          hash.update(table);
          for (const row of database.prepare(`SELECT * FROM "${table}"`).raw().iterate() as Iterable<unknown[]>) {
            for (const cell of row) hash.update(Buffer.isBuffer(cell) ? cell : `${typeof cell} ${String(cell)};`);
          }
        }
      }
      return hash.digest('hex');
    },
    settled: async () => {
      for (let before = ''; before !== versions(); await sleep(30)) before = versions();
    },
    close: () => {
      for (const database of databases) database.close();
    },
  };
}
