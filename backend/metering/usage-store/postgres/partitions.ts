import { bucketOf, bucketStartMs } from '../series/levels.ts';
import { type Database, LOCKS, type PgClient, underLock } from './database.ts';

/**
 * The partitions of the events, one a month (UTC) of their own time. An event is known again within its partition, by an
 * index that only the partition has. Months are made when the first event of theirs comes, if they are near enough to now;
 * all others share the partition `events_other`, which gives its events up when their month comes near: however strange the
 * times are that are sent, there are not many partitions.
 */
export interface Partitions {
  /** Makes those that the times need. What cannot be made now (a long query holds a lock) goes to the others. */
  prepare(timesMs: Iterable<number>, nowMs: number): Promise<void>;
  /** Makes those of the months that come, for whoever does the upkeep. */
  makeAhead(nowMs: number): Promise<void>;
}

const MONTHS_BACK = 24;
const MONTHS_AHEAD = 3;
/** Whoever stores or reads waits as long. */
const LOCK_TIMEOUT_MS = 2000;
/** One that could not be made is not tried again at once. */
const RETRY_MS = 60_000;

export function openPartitions(db: Database): Partitions {
  const known = new Set<number>();
  const failedAtMs = new Map<number, number>();
  let isRead = false;

  const readKnown = async (client: PgClient): Promise<void> => {
    const { rows } = await client.query<{ relname: string }>(
      `SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'events'::regclass`,
    );
    for (const { relname } of rows) {
      const match = /^events_(\d+)_(\d+)$/.exec(relname);
      if (match !== null) known.add(Number.parseInt(match[1] ?? '', 10) * 12 + Number.parseInt(match[2] ?? '', 10) - 1);
    }
    isRead = true;
  };
  const make = async (month: number, nowMs: number): Promise<void> => {
    try {
      await underLock(db, LOCKS.partitions, 'READ COMMITTED', async (client) => {
        await readKnown(client);
        if (!known.has(month)) await makePartition(client, month);
      });
      known.add(month);
    } catch (error) {
      failedAtMs.set(month, nowMs);
      throw error;
    }
  };
  const isDue = (month: number, nowMs: number): boolean => {
    const current = bucketOf('month', nowMs);
    if (month < current - MONTHS_BACK || month > current + MONTHS_AHEAD || known.has(month)) return false;
    const failed = failedAtMs.get(month);
    return failed === undefined || Math.abs(nowMs - failed) >= RETRY_MS;
  };

  return {
    async prepare(timesMs, nowMs) {
      if (!isRead) await db.withClient(readKnown);
      const months = new Set<number>();
      for (const timeMs of timesMs) months.add(bucketOf('month', timeMs));
      for (const month of months) if (isDue(month, nowMs)) await make(month, nowMs).catch(() => {});
    },
    async makeAhead(nowMs) {
      const current = bucketOf('month', nowMs);
      for (let month = current; month <= current + MONTHS_AHEAD; month++) {
        if (isDue(month, nowMs)) await make(month, nowMs);
      }
    },
  };
}

function nameOf(month: number): string {
  return `events_${Math.floor(month / 12)}_${String((month % 12) + 1).padStart(2, '0')}`;
}

/** With what the others hold of the month: an event stays known. */
async function makePartition(client: PgClient, month: number): Promise<void> {
  const name = nameOf(month);
  const [fromMs, toMs] = [bucketStartMs('month', month), bucketStartMs('month', month + 1)];
  await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
  await client.query('LOCK TABLE events_other IN ACCESS EXCLUSIVE MODE');
  await client.query(`CREATE TABLE ${name} (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`);
  await client.query(
    `WITH moved AS (DELETE FROM events_other WHERE time_ms >= ${fromMs} AND time_ms < ${toMs} RETURNING *)
     INSERT INTO ${name} SELECT * FROM moved`,
  );
  await client.query(`CREATE UNIQUE INDEX ${name}_identity ON ${name} (identity)`);
  await client.query(`ALTER TABLE events ATTACH PARTITION ${name} FOR VALUES FROM (${fromMs}) TO (${toMs})`);
}
