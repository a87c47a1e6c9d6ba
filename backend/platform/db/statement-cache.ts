import type { SqliteDatabase, SqliteStatement } from 'kysely';
import type { Sqlite } from './sqlite.ts';

/**
 * Statements that are kept. All modules together have a few hundred texts; lists of changing length (`IN`, rows of an
 * insert) make more of them, of which the longest unused go.
 */
const MAX_STATEMENTS = 500;

/** A statement of which is known whether it writes. */
export interface KeptStatement extends SqliteStatement {
  readonly readonly: boolean;
}

/** Where the dialect takes its statements from. */
export interface KeptStatements extends SqliteDatabase {
  prepare(sql: string): KeptStatement;
}

/** Has a write that stands alone counted as a transaction of its own is. */
export type InTransaction = <T>(write: () => T) => T;

/**
 * Gives the same statement for the same text. To prepare one costs more than to run it: SQLite reads the text, and the
 * library compiles a function for the shape of its rows, which stays in memory until the statement is collected.
 * The connection is one user's at a time, and runs each statement to its end: nobody ever finds one that is under way.
 */
export function withStatementCache(sqlite: Sqlite, inTransaction?: InTransaction): KeptStatements {
  const statements = new Map<string, KeptStatement>();
  return {
    prepare: (sql) => {
      const known = statements.get(sql);
      const statement: KeptStatement = known ?? prepare(sqlite, sql, inTransaction);
      // A map keeps the order of insertion: the first is the one that was not used for the longest time.
      if (known !== undefined) statements.delete(sql);
      statements.set(sql, statement);
      if (statements.size > MAX_STATEMENTS) {
        for (const oldest of statements.keys()) {
          statements.delete(oldest);
          break;
        }
      }
      return statement;
    },
    close: () => {
      statements.clear();
      sqlite.close();
    },
  };
}

function prepare(sqlite: Sqlite, sql: string, inTransaction: InTransaction | undefined): KeptStatement {
  const statement = sqlite.prepare(sql);
  if (inTransaction === undefined || statement.readonly || /^begin/i.test(sql)) return statement;
  const run = <T>(write: () => T): T => (sqlite.inTransaction ? write() : inTransaction(write));
  return {
    reader: statement.reader,
    readonly: statement.readonly,
    all: (parameters) => run(() => statement.all(parameters)),
    run: (parameters) => run(() => statement.run(parameters)),
    // Nothing that writes is read row by row.
    iterate: (parameters) => statement.iterate(parameters) as IterableIterator<unknown>,
  };
}
