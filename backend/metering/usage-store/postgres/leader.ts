import { type Database, LOCK_SPACE, LOCKS } from './database.ts';

/** One kind of upkeep. */
export interface UpkeepTask {
  name: string;
  /** @returns whether there was anything to do: then it is asked again at once */
  step(): Promise<boolean>;
}

export interface Leader {
  /** There may be something to do. */
  wake(): void;
  /** Lets the step that runs end. */
  stop(): Promise<void>;
}

/** So soon another backend takes over when this one's connection is lost, and so soon the leader looks for what others left. */
const POLL_MS = 500;
/** What failed is hardly any better at once. */
const RETRY_MS = 5000;

/**
 * Does the upkeep that nobody asks for, while this backend holds the leader's lock: the database gives it to another when the
 * connection is lost. Each step takes the lock of upkeep for itself: two that think they lead do no harm.
 * A task that fails does not hold up the others, and is tried again after a while.
 */
export function startLeader(
  db: Database,
  tasks: readonly UpkeepTask[],
  { nowMs, onTrouble }: { nowMs: () => number; onTrouble?: ((reason: string) => void) | undefined },
): Leader {
  let isStopped = false;
  let wakeUp: () => void = () => {};
  const failedAtMs = new Map<UpkeepTask, number>();

  const sleep = async (): Promise<void> => {
    if (isStopped) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    wakeUp = resolve;
    const timer = setTimeout(resolve, POLL_MS);
    await promise;
    clearTimeout(timer);
  };
  const attempt = async (task: UpkeepTask): Promise<boolean> => {
    const failed = failedAtMs.get(task);
    if (failed !== undefined && nowMs() - failed < RETRY_MS) return false;
    try {
      const had = await task.step();
      failedAtMs.delete(task);
      return had;
    } catch (error) {
      failedAtMs.set(task, nowMs());
      onTrouble?.(`${task.name}: ${error instanceof Error ? String(error.cause ?? error.message) : String(error)}`);
      return false;
    }
  };
  const lead = async (): Promise<void> => {
    while (!isStopped) {
      let had = false;
      for (const task of tasks) if (!isStopped && (await attempt(task))) had = true;
      if (!had) return;
    }
  };
  const run = async (): Promise<void> => {
    while (!isStopped) {
      try {
        await db.withClient(async (client) => {
          const isLeader = async (): Promise<boolean> => {
            const { rows } = await client.query<{ led: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS led', [
              LOCK_SPACE,
              LOCKS.leader,
            ]);
            return rows[0]?.led === true;
          };
          if (!(await isLeader())) return;
          try {
            while (!isStopped) {
              await lead();
              await sleep();
              // Whoever has lost the connection leads no more.
              await client.query('SELECT 1');
            }
          } finally {
            await client.query('SELECT pg_advisory_unlock($1, $2)', [LOCK_SPACE, LOCKS.leader]).catch(() => {});
          }
        });
      } catch {
        // The database cannot be reached: whoever asks it for something is told so.
      }
      await sleep();
    }
  };
  const running = run();
  return {
    wake: () => wakeUp(),
    stop: async () => {
      isStopped = true;
      wakeUp();
      await running;
    },
  };
}
