import SqliteDatabase from 'better-sqlite3';
import type { NewEvent } from '../backend/metering/usage-store/index.ts';

/** What storing is held against: a table without any index, and as sure as the store. */
export interface BareTable {
  /** One transaction, on disk when it returns. */
  insert(events: readonly NewEvent[]): void;
  close(): void;
}

export function openBareTable(path: string): BareTable {
  const db = new SqliteDatabase(path);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec(
    'CREATE TABLE events (source TEXT, id TEXT, type TEXT, subject TEXT, time INTEGER, data TEXT, ingested INTEGER, stored INTEGER)',
  );
  const insert = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  const transaction = db.transaction((events: readonly NewEvent[]) => {
    for (const event of events) {
      insert.run(
        event.source,
        event.id,
        event.type,
        event.subject,
        event.timeMs,
        event.data,
        event.ingestedAtMs,
        event.ingestedAtMs,
      );
    }
  });
  return { insert: (events: readonly NewEvent[]) => transaction.immediate(events), close: () => db.close() };
}
