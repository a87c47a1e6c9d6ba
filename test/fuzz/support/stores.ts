import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';

/** Looks at the databases of a backend from outside. */
export interface Stores {
  /** How many rows of each table were inserted, updated or deleted, and committed, since the watch began. */
  changes(): ReadonlyMap<string, number>;
  /** Returns when nobody has committed for a moment: to be asked when no long work is going on, which may pause as long. */
  settled(): Promise<void>;
  close(): void;
}

/**
 * The audit log has whoever tries to change something, also where the request is refused. Roll-ups follow from events, and
 * are folded whenever there is time for it.
 */
const NOT_WATCHED = /^(audit_log|rollup|sqlite_)/;

/** @param dataDir of a running backend, whose tables get triggers that count */
export function watchStores(dataDir: string): Stores {
  const databases = ['control.sqlite', 'usage.sqlite'].map((file) => countChanges(new Database(join(dataDir, file))));
  const statements = databases.map((database) => database.prepare('SELECT name, count FROM watched_changes').raw());
  const changes = () => new Map(statements.flatMap((statement) => statement.all() as [string, number][]));
  return {
    changes,
    settled: async () => {
      for (let before = ''; before !== JSON.stringify([...changes()]); await sleep(30)) {
        before = JSON.stringify([...changes()]);
      }
    },
    close: () => {
      for (const database of databases) database.close();
    },
  };
}

function countChanges(database: Database.Database): Database.Database {
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all() as string[];
  const watched = tables.filter((table) => !NOT_WATCHED.test(table));
  database.exec('CREATE TABLE watched_changes (name TEXT PRIMARY KEY, count INTEGER NOT NULL)');
  for (const table of watched) {
    database.prepare('INSERT INTO watched_changes VALUES (?, 0)').run(table);
    for (const change of ['INSERT', 'UPDATE', 'DELETE']) {
      database.exec(`CREATE TRIGGER "watched_${table}_${change}" AFTER ${change} ON "${table}"
        BEGIN UPDATE watched_changes SET count = count + 1 WHERE name = '${table}'; END`);
    }
  }
  return database;
}
