// What usage costs on PostgreSQL against SQLite, of the same events, both in turn: ingest in batches of 1,000 and of 100, and the
// queries of a month.
//   node bench/usage-postgres.ts --url postgres://… [--events N] [--rounds N] [--dir FOLDER]
// The database must be empty; its server should sync commits to the same disk as the folder.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openSqliteUsageStore, type UsageStore } from '../backend/metering/usage-store/index.ts';
import { openPostgresUsageStore } from '../backend/metering/usage-store/postgres/postgres-usage-store.ts';
import { systemClock } from '../backend/platform/clock.ts';
import { gatewayEvents, REQUESTS } from './gateway-events.ts';
import { ratioLine } from './report.ts';
import { QUERIES } from './usage-queries.ts';

/** Batches on their way at a time. */
const IN_FLIGHT = 4;
/** Events of a round of ingest. */
const ROUND = 20_000;
const INGEST_LIMIT = 0.4;
const QUERY_LIMIT = 1.5;

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    events: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '20' },
    dir: { type: 'string', default: tmpdir() },
  },
});
if (values.url === undefined) throw new Error('say which empty database: --url postgres://…');
const total = Number.parseInt(values.events, 10);
const rounds = Number.parseInt(values.rounds, 10);
const folder = mkdtempSync(join(values.dir, 'bench-usage-'));
const sqlite = await openSqliteUsageStore(join(folder, 'usage.sqlite'), systemClock);
const postgres = await openPostgresUsageStore(values.url, systemClock);
for (const store of [sqlite, postgres]) await store.syncMeters([REQUESTS]);

const ratios: Record<number, number[]> = { 1000: [], 100: [] };
for (let first = 0, round = 0; first < total; first += ROUND, round++) {
  const events = gatewayEvents(Math.min(ROUND, total - first), first, () => randomUUID(), total);
  const batch = round % 2 === 0 ? 1000 : 100;
  const [ofSqlite, ofPostgres] = [await fill(sqlite, events, batch), await fill(postgres, events, batch)];
  ratios[batch]?.push(ofSqlite / ofPostgres);
}
for (const batch of [1000, 100]) {
  line(
    ratioLine(`ingest in batches of ${batch}, events a second, PostgreSQL : SQLite`, ratios[batch] ?? [], INGEST_LIMIT),
  );
}
await measure('right after the last event');
for (const store of [sqlite, postgres]) while ((await store.upkeep()).unfoldedEvents > 0);
await measure('when all is folded');
await sqlite.close();
await postgres.close();
rmSync(folder, { recursive: true });

/** @returns milliseconds */
async function fill(store: UsageStore, events: ReturnType<typeof gatewayEvents>, batch: number): Promise<number> {
  const began = performance.now();
  let next = 0;
  const send = async (): Promise<void> => {
    while (next < events.length) {
      const part = events.slice(next, next + batch);
      next += batch;
      await store.append(part);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, send));
  return performance.now() - began;
}

async function measure(when: string): Promise<void> {
  line(`${when}:`);
  for (const [name, query] of Object.entries(QUERIES)) {
    const found: number[] = [];
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const [ofSqlite, ofPostgres] = [await timeOf(sqlite, query), await timeOf(postgres, query)];
      found.push(ofPostgres / ofSqlite);
      times.push(ofPostgres);
    }
    const median = times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
    line(
      `  ${ratioLine(`${name}, time, PostgreSQL : SQLite`, found, QUERY_LIMIT, 'at most')} (${median.toFixed(1)} ms)`,
    );
  }
}

async function timeOf(store: UsageStore, query: Parameters<UsageStore['query']>[0]): Promise<number> {
  const began = performance.now();
  await store.query(query);
  return performance.now() - began;
}

function line(text: string): void {
  process.stdout.write(`${text}\n`);
}
