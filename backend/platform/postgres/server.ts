import type pg from 'pg';

/** The server that a database stands on. */
export interface DatabaseServer {
  state(): Promise<ServerState>;
  /** What an operator should know at a start: no fault, but likely a mistake. */
  warnings(): Promise<string[]>;
}

export interface ServerState {
  /** Of the whole database. */
  databaseBytes: number;
  /** Of all clients of the server, and as many as it takes. */
  connections: number;
  maxConnections: number;
  /** It takes no writes: a standby, or one that was told so. */
  isReadOnly: boolean;
  /** How long the oldest transaction runs: nothing that ended after its begin is tidied up. */
  oldestTransactionSeconds: number;
}

/** The oldest version whose commands the schemas and statements keep to. */
const MIN_VERSION = 15;

export function databaseServer(pool: pg.Pool): DatabaseServer {
  return {
    state: async () => {
      const { rows } = await pool.query<ServerState>(`SELECT
        pg_database_size(current_database()) AS "databaseBytes",
        (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
        current_setting('max_connections')::int AS "maxConnections",
        pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool AS "isReadOnly",
        (SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0)::float8 FROM pg_stat_activity
          WHERE datname = current_database()) AS "oldestTransactionSeconds"`);
      return rows[0] as ServerState;
    },
    warnings: async () => {
      const { rows } = await pool.query<{ fsync: string; pages: string; names: string; standbys: number }>(`SELECT
        current_setting('fsync') AS fsync, current_setting('full_page_writes') AS pages,
        current_setting('synchronous_standby_names') AS names,
        (SELECT count(*) FROM pg_stat_replication) AS standbys`);
      const { fsync, pages, names, standbys } = rows[0] ?? {};
      return [
        ...(fsync === 'off' ? ['the server of DATABASE_URL has fsync off: a crash of its machine loses data'] : []),
        ...(pages === 'off' ? ['the server of DATABASE_URL has full_page_writes off: a crash can damage data'] : []),
        ...((standbys ?? 0) > 0 && names === ''
          ? [
              'the standby of the server of DATABASE_URL is asynchronous: what was answered for in the moments before the server ' +
                'is lost may be missing on it. Name it in synchronous_standby_names',
            ]
          : []),
      ];
    },
  };
}

/**
 * Keys and names are sorted, and pages of them continued, as SQLite does it: by their characters, whatever the language.
 * @throws Error when the server is too old, or the database is of another encoding or order
 */
export async function refuseUnfit(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ version: number; fits: boolean }>(`SELECT
      current_setting('server_version_num')::int / 10000 AS version,
      current_setting('server_encoding') = 'UTF8'
        AND array_agg(text ORDER BY text) = ARRAY['0', 'B', 'Z', '_', 'a', 'é'] AS fits
    FROM unnest(ARRAY['a', 'é', 'B', '_', 'Z', '0']) AS text`);
  const { version = 0, fits } = rows[0] ?? {};
  if (version < MIN_VERSION) {
    throw new Error(`the server of the database is PostgreSQL ${version}: use ${MIN_VERSION} or later`);
  }
  if (fits !== true) {
    throw new Error(
      "the database sorts text by a language: create it with ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0",
    );
  }
}
