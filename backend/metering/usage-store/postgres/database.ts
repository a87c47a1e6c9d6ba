import pg from 'pg';
import { isSound, openPool, type PoolOptions } from '../../../platform/postgres/pool.ts';
import { unavailable } from './failures.ts';

/** A connection of a pool while somebody has it. */
export type PgClient = pg.PoolClient;

/** How a transaction sees the others: each statement anew, or one moment. */
export type Isolation = 'READ COMMITTED' | 'REPEATABLE READ' | 'REPEATABLE READ READ ONLY';

/** Advisory locks of the store; the first number is the store's own. */
export const LOCK_SPACE = 0x75736765;
export const LOCKS = {
  /** Shared by whoever adds to series, exclusive for whoever changes which there are. */
  series: 1,
  /** Of whoever changes what is stored already: folds, corrections, removals. */
  upkeep: 2,
  /** Of the backend that does the upkeep nobody asks for. */
  leader: 3,
  partitions: 4,
  migrations: 5,
} as const;

export interface Database {
  /** @throws RequestProblem 503 when no connection can be had */
  withClient<T>(work: (client: PgClient) => Promise<T>): Promise<T>;
  transaction<T>(isolation: Isolation, work: (client: PgClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** A pool of connections, each with its bounds of time. */
export function openDatabase(options: PoolOptions): Database {
  const pool = openPool(options);
  const withClient: Database['withClient'] = async (work) => {
    let client: PgClient;
    try {
      client = await pool.connect();
    } catch (error) {
      throw unavailable(error);
    }
    let failure: Error | undefined;
    const onError = (error: Error): void => {
      failure = error;
    };
    client.on('error', onError);
    try {
      return await work(client);
    } catch (error) {
      failure ??= isSound(error) ? undefined : (error as Error);
      throw unavailable(error);
    } finally {
      client.off('error', onError);
      client.release(failure ?? spoilt.has(client));
    }
  };
  return {
    withClient,
    transaction: (isolation, work) =>
      beginning((begun) => withClient((client) => inTransaction(client, isolation, work, begun))),
    close: () => pool.end(),
  };
}

const MAX_ATTEMPTS = 3;

/**
 * Runs a transaction on another connection when the first one turns out to have been lost before: nothing of it was done.
 * @param run is given what to call once it is begun
 */
async function beginning<T>(run: (begun: () => void) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    let isBegun = false;
    try {
      return await run(() => {
        isBegun = true;
      });
    } catch (error) {
      if (isBegun || attempt === MAX_ATTEMPTS || isSound((error as Error).cause)) throw error;
    }
  }
}

/** Connections that nobody may have after this. */
const spoilt = new WeakSet<PgClient>();

/** Has a connection closed when it is given back. */
export function spoil(client: PgClient): void {
  spoilt.add(client);
}

/** Who waits for what a connection reads. */
const waiters = new WeakMap<PgClient, AbortSignal>();

/** Has reading in parts end when nobody waits for it any more. */
export function readFor(client: PgClient, ended: AbortSignal | undefined): void {
  if (ended === undefined) waiters.delete(client);
  else waiters.set(client, ended);
}

async function inTransaction<T>(
  client: PgClient,
  isolation: Isolation,
  work: (client: PgClient) => Promise<T>,
  begun: () => void = () => {},
): Promise<T> {
  await client.query(`BEGIN ISOLATION LEVEL ${isolation}`);
  begun();
  try {
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

/**
 * Holds a lock around a transaction of one moment: the moment is after the lock was got, so that it shows what the holder
 * before has done.
 */
export function underLock<T>(
  db: Database,
  lock: number,
  isolation: Isolation,
  work: (client: PgClient) => Promise<T>,
): Promise<T> {
  return db.withClient(async (client) => {
    await client.query('SELECT pg_advisory_lock($1, $2)', [LOCK_SPACE, lock]);
    try {
      return await inTransaction(client, isolation, work);
    } finally {
      // A connection that cannot unlock is closed, which does.
      await client.query('SELECT pg_advisory_unlock($1, $2)', [LOCK_SPACE, lock]).catch(() => spoil(client));
    }
  });
}

const ROWS_OF_FETCH = 2000;
let lastCursor = 0;

/**
 * Reads a statement's rows part by part; to be called in a transaction. Other statements may run in between. The
 * parameters are written into the text: so the first part comes with the first turn to the database.
 */
export async function* readInParts<T>(
  client: PgClient,
  text: string,
  params: readonly (number | string | null)[],
): AsyncGenerator<T[]> {
  const cursor = `c${++lastCursor}`;
  const fetch = `FETCH ${ROWS_OF_FETCH} FROM ${cursor}`;
  let next = `DECLARE ${cursor} NO SCROLL CURSOR FOR ${text.replace(/\$(\d+)/g, (_, place: string) => literal(params[Number.parseInt(place, 10) - 1]))}; ${fetch}`;
  for (;;) {
    waiters.get(client)?.throwIfAborted();
    const answers: unknown = await client.query({ text: next, rowMode: 'array' });
    // Of several statements there are several answers.
    const { rows } = (Array.isArray(answers) ? answers.at(-1) : answers) as { rows: T[] };
    if (rows.length > 0) yield rows;
    // The end of the transaction closes it.
    if (rows.length < ROWS_OF_FETCH) return;
    next = fetch;
  }
}

function literal(value: number | string | null | undefined): string {
  if (value === null || value === undefined) return 'NULL';
  return typeof value === 'number' ? String(value) : pg.escapeLiteral(value);
}

/** As an array for the database: "{1,2,NULL}". Numbers and numerals only. */
export function numberArray(values: readonly (number | string | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}

export function textArray(values: readonly (string | null)[]): string {
  const quoted = values.map((value) => (value === null ? 'NULL' : `"${value.replace(/["\\]/g, '\\$&')}"`));
  return `{${quoted.join(',')}}`;
}
