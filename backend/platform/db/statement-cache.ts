import type { SqliteDatabase, SqliteStatement } from 'kysely';
import type { Sqlite } from './sqlite.ts';

/**
 * Statements that are kept. All modules together have a few hundred texts; lists of changing length (`IN`, rows of an
 * insert) make more of them, of which the longest unused go.
 */
const MAX_STATEMENTS = 500;

/**
 * Gives the same statement for the same text. To prepare one costs more than to run it: SQLite reads the text, and the
 * library compiles a function for the shape of its rows, which stays in memory until the statement is collected.
 * Statements are run to their end at once, so nobody ever finds one that is under way.
 */
export function withStatementCache(sqlite: Sqlite): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>();
  return {
    prepare: (sql) => {
      const known = statements.get(sql);
      const statement: SqliteStatement = known ?? sqlite.prepare(sql);
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
