import pg from 'pg';
import type { Leadership } from '../leadership.ts';

/** So often who leads asks whether it still does, and who does not whether it may. */
const ASK_EVERY_MS = 500;
/** What has given no answer for so long is gone. */
const ANSWER_MS = 2000;
const CONNECT_MS = 5000;
/** The server notices within 16 s that a machine has vanished without a word; one that says so is known at once. */
const KEEPALIVE = '-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3';

/**
 * One of the backends of a database leads: the one whose connection has a lock. It is the server that says who is gone, not a
 * clock: the lock ends with the connection, and another one has it half a second later.
 * @param lock its number
 */
export function startLeadership(url: string, lock: number): Leadership {
  const listeners: (() => void)[] = [];
  let isLeading = false;
  let isStopped = false;
  let wake: () => void = () => {};
  const pause = async (): Promise<void> => {
    if (isStopped) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    const timer = setTimeout(resolve, ASK_EVERY_MS);
    timer.unref();
    await promise;
    clearTimeout(timer);
  };
  const begin = (): void => {
    isLeading = true;
    for (const listener of listeners) listener();
  };
  /** As long as the connection holds. */
  const take = async (client: pg.Client): Promise<void> => {
    while (!isStopped) {
      const { rows } = await client.query<{ led: boolean }>('SELECT pg_try_advisory_lock($1) AS led', [lock]);
      // Once is enough: a lock that is had is had once more each time.
      if (rows[0]?.led === true) break;
      await pause();
    }
    if (!isStopped) begin();
    while (!isStopped) {
      await pause();
      await client.query('SELECT 1');
    }
  };
  const run = async (): Promise<void> => {
    while (!isStopped) {
      const client = new pg.Client({
        connectionString: url,
        application_name: 'leader',
        connectionTimeoutMillis: CONNECT_MS,
        query_timeout: ANSWER_MS,
        keepAlive: true,
        options: KEEPALIVE,
      });
      client.on('error', () => wake());
      try {
        await client.connect();
        await take(client);
      } catch {
        // Whoever asks the database for something is told so.
      }
      isLeading = false;
      await client.end().catch(() => {});
      await pause();
    }
  };
  const running = run();
  return {
    hasOthers: true,
    leads: () => isLeading,
    onLead: (listener) => {
      listeners.push(listener);
      if (isLeading) listener();
    },
    stop: async () => {
      isStopped = true;
      wake();
      await running;
    },
  };
}
