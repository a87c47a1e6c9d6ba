import { PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import type pg from 'pg';
import { RequestProblem } from '../errors.ts';
import { unavailable } from '../postgres/failures.ts';
import { isSound } from '../postgres/pool.ts';

const DATABASE = 'The database';

/** How PostgreSQL is spoken to: what it cannot do now is told as such, and a connection that was lost is not used again. */
export function postgresDialect(pool: pg.Pool): PostgresDialect {
  return new PostgresDialect({ pool: watched(pool) });
}

function watched(pool: pg.Pool): PostgresPool {
  return {
    connect: async () => {
      try {
        return watchedClient(await pool.connect());
      } catch (error) {
        throw unavailable(error, DATABASE);
      }
    },
    end: () => pool.end(),
  } as PostgresPool;
}

/** PostgreSQL's text has all characters but one, which only hostile requests send; SQLite keeps it. */
const UNTRANSLATABLE = '22021';

function isOfRefusedText(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === UNTRANSLATABLE;
}

const refusedText = () => new RequestProblem('bad-request', 'text must not contain the character U+0000');

function watchedClient(client: pg.PoolClient): PostgresPoolClient {
  let failure: Error | undefined;
  const onError = (error: Error): void => {
    failure = error;
  };
  client.on('error', onError);
  return {
    query: async (text: string, parameters: readonly unknown[]) => {
      try {
        return await client.query(text, [...parameters]);
      } catch (error) {
        if (!isSound(error)) failure ??= error as Error;
        throw isOfRefusedText(error) ? refusedText() : unavailable(error, DATABASE);
      }
    },
    release: () => {
      client.off('error', onError);
      client.release(failure);
    },
  } as unknown as PostgresPoolClient;
}
