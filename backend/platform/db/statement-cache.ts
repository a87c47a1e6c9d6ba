import type { SqliteDatabase, SqliteStatement } from 'kysely';
import type { Sqlite } from './sqlite.ts';

/**
 * Statements that are kept. All modules together have a few hundred texts; lists of changing length (`IN`, rows of an
 * insert) make more of them, of which the longest unused go.
 */
const MAX_STATEMENTS = 500;

/** Has a write that stands alone counted as a transaction of its own is. */
export type InTransaction = <T>(write: () => T) => T;

/**
 * Gives the same statement for the same text. To prepare one costs more than to run it: SQLite reads the text, and the
 * library compiles a function for the shape of its rows, which stays in memory until the statement is collected.
 * Statements are run to their end at once, so nobody ever finds one that is under way.
 */
export function withStatementCache(sqlite: Sqlite, inTransaction?: InTransaction): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>();
  return {
    prepare: (sql) => {
      const known = statements.get(sql);
      const statement: SqliteStatement = known ?? prepare(sqlite, sql, inTransaction);
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

function prepare(sqlite: Sqlite, sql: string, inTransaction: InTransaction | undefined): SqliteStatement {
  const statement = sqlite.prepare(sql);
  if (inTransaction === undefined || statement.readonly || /^begin/i.test(sql)) return statement;
  const run = <T>(write: () => T): T => (sqlite.inTransaction ? write() : inTransaction(write));
  return {
    reader: statement.reader,
    all: (parameters) => run(() => statement.all(parameters)),
    run: (parameters) => run(() => statement.run(parameters)),
    // Nothing that writes is read row by row.
    iterate: (parameters) => statement.iterate(parameters) as IterableIterator<unknown>,
  };
}
