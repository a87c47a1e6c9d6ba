import { fileURLToPath } from 'node:url';
import type { Clock } from '../../platform/clock.ts';
import { migrateSqlite } from '../../platform/db/migrate.ts';
import { openSqlite, type Sqlite } from '../../platform/db/sqlite.ts';
import type { AppendResult, GatewayDelivery, NewEvent, UsageStore } from '../types.ts';
import { listEvents } from './event-list.ts';
import { listProcesses, prepareRecordDelivery } from './gateway-ledger.ts';
import { queryUsage } from './usage-query.ts';

const MIGRATIONS = fileURLToPath(new URL('./migrations', import.meta.url));

/**
 * Usage in one SQLite file of its own.
 * @param path the database file; it and its folder are made when missing
 */
export function openSqliteUsageStore(path: string, clock: Clock): UsageStore {
  const db = openSqlite(path);
  migrateSqlite(db, MIGRATIONS);
  const append = prepareAppend(db, clock);
  const ping = db.prepare('SELECT 1');
  const totals = db.prepare('SELECT stored, duplicates FROM ingest_totals');
  return {
    append: async (events, delivery) => append(events, delivery),
    gatewayProcesses: async (page) => listProcesses(db, page),
    totals: async () => totals.get() as AppendResult,
    list: async (query) => listEvents(db, query),
    query: async (query) => queryUsage(db, query),
    check: async () => {
      ping.get();
    },
    close: async () => {
      db.close();
    },
  };
}

type Append = (events: readonly NewEvent[], delivery?: GatewayDelivery) => AppendResult;

function prepareAppend(db: Sqlite, clock: Clock): Append {
  const insert = db.prepare(
    `INSERT INTO events (source, id, type, subject, time_ms, data, ingested_at_ms, stored_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, id) DO NOTHING`,
  );
  const count = db.prepare('UPDATE ingest_totals SET stored = stored + ?, duplicates = duplicates + ?');
  const recordDelivery = prepareRecordDelivery(db);
  // One transaction for the batch: with synchronous=FULL it is on disk when it returns, or not there at all.
  const transaction = db.transaction((events: readonly NewEvent[], delivery?: GatewayDelivery): AppendResult => {
    const storedAtMs = clock.nowMs();
    let stored = 0;
    for (const { source, id, type, subject, timeMs, data, ingestedAtMs } of events) {
      stored += insert.run(source, id, type, subject, timeMs, data ?? null, ingestedAtMs, storedAtMs).changes;
    }
    const duplicates = events.length - stored;
    const result = { stored, duplicates };
    count.run(stored, duplicates);
    if (delivery !== undefined) recordDelivery(delivery, result, storedAtMs);
    return result;
  });
  return (events, delivery) => transaction.immediate(events, delivery);
}
