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
        return watchedClient(pool, await pool.connect());
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

/** What changes nothing, however often it is begun: a connection that was lost while it was idle fails nobody. */
const REPEATABLE = /^\s*(?:select|start transaction|begin)\b/i;
const MAX_ATTEMPTS = 3;

function watchedClient(pool: pg.Pool, first: pg.PoolClient): PostgresPoolClient {
  let client = first;
  let failure: Error | undefined;
  let isUsed = false;
  let isReleased = false;
  const onError = (error: Error): void => {
    failure = error;
  };
  const release = (): void => {
    if (isReleased) return;
    isReleased = true;
    client.off('error', onError);
    client.release(failure);
  };
  const takeAnother = async (): Promise<void> => {
    release();
    client = await pool.connect();
    isReleased = false;
    failure = undefined;
    client.on('error', onError);
  };
  /** The first statement of who has the connection may have another one, if it was only going to read. */
  const run = async (text: string, parameters: readonly unknown[], attempt: number): Promise<unknown> => {
    try {
      return await client.query(text, [...parameters]);
    } catch (error) {
      if (isSound(error)) throw error;
      failure ??= error as Error;
      if (isUsed || attempt === MAX_ATTEMPTS || !REPEATABLE.test(text)) throw error;
      await takeAnother();
      return run(text, parameters, attempt + 1);
    }
  };
  client.on('error', onError);
  return {
    query: async (text: string, parameters: readonly unknown[]) => {
      try {
        return await run(text, parameters, 1);
      } catch (error) {
        throw isOfRefusedText(error) ? refusedText() : unavailable(error, DATABASE);
      } finally {
        isUsed = true;
      }
    },
    release,
  } as unknown as PostgresPoolClient;
}
