import { CompiledQuery, type DatabaseConnection, type QueryResult, SqliteDialect, SqliteDriver } from 'kysely';
import { isTurnUsedUp, nextTurn } from '../turn.ts';
import type { CommitLedger } from './commit-ledger.ts';
import type { KeptStatement, KeptStatements } from './statement-cache.ts';

/** How SQLite is spoken to: transactions are counted, and long work gives way to others. */
export class ControlDialect extends SqliteDialect {
  readonly #database: KeptStatements;
  readonly #ledger: CommitLedger | undefined;

  constructor(database: KeptStatements, ledger: CommitLedger | undefined) {
    super({ database });
    this.#database = database;
    this.#ledger = ledger;
  }

  override createDriver(): SqliteDriver {
    return new ControlDriver(this.#database, this.#ledger);
  }
}

/**
 * Transactions take the write lock when they begin. One that reads first and writes later would fail as "database is
 * locked" when another process has written in between.
 */
class ControlDriver extends SqliteDriver {
  readonly #connection: YieldingConnection;
  readonly #ledger: CommitLedger | undefined;

  constructor(database: KeptStatements, ledger: CommitLedger | undefined) {
    super({ database });
    this.#connection = new YieldingConnection(database);
    this.#ledger = ledger;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
    try {
      this.#ledger?.enter();
    } catch (error) {
      await connection.executeQuery(CompiledQuery.raw('rollback'));
      throw error;
    }
  }

  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
    this.#ledger?.committed();
  }

  override async destroy(): Promise<void> {
    await this.#connection.running;
    await super.destroy();
  }
}

/** Rows that are read before the clock is looked at; each takes a microsecond or two. */
const ROWS_AT_ONCE = 64;

/**
 * SQLite answers at once, so work of a thousand statements would be one turn of the event loop. Each statement gives way
 * when the turn is used up, and so does the reading of many rows. Kysely hands the connection to one user at a time, a whole
 * transaction long: others get their turn meanwhile, but not into this one's transaction.
 */
class YieldingConnection implements DatabaseConnection {
  readonly #database: KeptStatements;
  /** The statement that is under way, whatever becomes of it. */
  running: Promise<unknown> = Promise.resolve();

  constructor(database: KeptStatements) {
    this.#database = database;
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    if (isTurnUsedUp()) await nextTurn();
    const statement = this.#database.prepare(sql);
    if (statement.reader) {
      // What writes has to be through before somebody else looks.
      if (!statement.readonly) return { rows: statement.all(parameters) as Row[] };
      const reading = readInSlices<Row>(statement, parameters);
      this.running = reading.then(
        () => {},
        () => {},
      );
      return { rows: await reading };
    }
    const { changes, lastInsertRowid } = statement.run(parameters);
    return { insertId: BigInt(lastInsertRowid), numAffectedRows: BigInt(changes), rows: [] };
  }

  // biome-ignore lint/correctness/useYield: the interface has it, and nothing asks for it
  async *streamQuery<Row>(): AsyncGenerator<QueryResult<Row>> {
    throw new Error('rows are read in slices, and answered together');
  }
}

async function readInSlices<Row>(statement: KeptStatement, parameters: readonly unknown[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const row of statement.iterate(parameters)) {
    rows.push(row as Row);
    if (rows.length % ROWS_AT_ONCE === 0 && isTurnUsedUp()) await nextTurn();
  }
  return rows;
}
