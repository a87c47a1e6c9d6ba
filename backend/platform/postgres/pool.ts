import pg from 'pg';

export interface PoolOptions {
  url: string;
  /** The schema of the tables. */
  schema: string;
  /** What the server's operator sees. */
  name: string;
  maxConnections: number;
  statementTimeoutMs: number;
}

const CONNECT_TIMEOUT_MS = 5000;
const LOCK_TIMEOUT_MS = 20_000;
const INT8 = 20;
const INT8_ARRAY = 1016;

function toNumber(text: string): number {
  const number = Number.parseInt(text, 10);
  if (!Number.isSafeInteger(number)) throw new Error(`the database holds a number that is too large: ${text}`);
  return number;
}

/** 64-bit integers as numbers where they are exact; numeric stays text. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8) return toNumber;
    if (oid === INT8_ARRAY) return (text: string) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(toNumber));
    return pg.types.getTypeParser(oid, format as 'text');
  }) as pg.CustomTypesConfig['getTypeParser'],
};

/** A pool of connections, each with its bounds of time. */
export function openPool({ url, schema, name, maxConnections, statementTimeoutMs }: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: name,
    max: maxConnections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: statementTimeoutMs,
    lock_timeout: Math.min(LOCK_TIMEOUT_MS, statementTimeoutMs),
    idle_in_transaction_session_timeout: statementTimeoutMs,
    keepAlive: true,
    types,
    // A cursor is always read to its end. What is answered for is on disk, whatever the server is set to.
    options: `-c search_path=${schema} -c cursor_tuple_fraction=1 -c client_min_messages=warning -c jit=off -c synchronous_commit=on`,
  });
  // An idle connection that is lost is replaced by the next one that is needed.
  pool.on('error', () => {});
  return pool;
}

/** An error that the server has told leaves the connection as it was. */
export function isSound(error: unknown): boolean {
  return error instanceof pg.DatabaseError ? error.severity !== 'FATAL' : !isLost(error);
}

function isLost(error: unknown): boolean {
  return (
    error instanceof Error && /Connection terminated|ECONNRESET|EPIPE|not queryable|read ETIMEDOUT/.test(error.message)
  );
}
