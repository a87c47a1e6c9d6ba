import { sql } from 'kysely';
import type { DbHandle } from './handle.ts';
import { type Locks, locksOfAll } from './locks.ts';

/** What can run a transaction, and gives it a handle of the same kind: the database, or a scope. */
export interface Transacting<Handle> extends DbHandle {
  transaction<T>(work: (handle: Handle) => Promise<T>, locks?: Locks): Promise<T>;
}

/** A transaction that one of the works asks for. */
interface Waiting<Handle> {
  index: number;
  locks: Locks | undefined;
  run(trx: Handle): Promise<void>;
  /** After the commit: the one who asked goes on. */
  settle(): void;
  fail(error: unknown): void;
}

/**
 * Does works side by side and commits their transactions together: to sync the disk costs more than what most
 * transactions do, and so it is paid once for all of them. When each work that is not over yet waits for a
 * transaction, all of these run as one, in the order of the works, so that the outcome does not depend on which was
 * faster. Each has a savepoint: one that throws takes back what it did, and nothing of the others.
 * What a work does outside of transactions overlaps with the others, and holds up nobody else.
 * @param works each is given the handle to use instead of `db`
 * @returns how each work ended, in their order
 */
export async function sideBySide<T, Handle extends Transacting<Handle>>(
  db: Handle,
  works: readonly ((db: Handle) => Promise<T>)[],
): Promise<PromiseSettledResult<T>[]> {
  const running = new Set<number>();
  let waiting: Waiting<Handle>[] = [];
  const commitIfAllWait = (): void => {
    const indexes = new Set(waiting.map(({ index }) => index));
    if (waiting.length === 0 || indexes.size < running.size) return;
    const group = waiting.sort((a, b) => a.index - b.index);
    waiting = [];
    commit(db, group).then(
      () => {
        for (const each of group) each.settle();
      },
      (error: unknown) => {
        for (const each of group) each.fail(error);
      },
    );
  };
  const handleOf = (index: number): Handle => ({
    ...db,
    transaction: <R>(work: (handle: Handle) => Promise<R>, locks?: Locks) =>
      new Promise<R>((resolve, reject) => {
        waiting.push({ index, locks, ...settling(work, resolve, reject) });
        commitIfAllWait();
      }),
  });
  const start = async (work: (db: Handle) => Promise<T>, index: number): Promise<T> => {
    try {
      return await work(handleOf(index));
    } finally {
      running.delete(index);
      commitIfAllWait();
    }
  };
  for (const index of works.keys()) running.add(index);
  return Promise.allSettled(works.map(start));
}

/** Keeps how a transaction ended until it is committed. */
function settling<R, Handle extends DbHandle>(
  work: (db: Handle) => Promise<R>,
  resolve: (result: R) => void,
  reject: (error: unknown) => void,
): Omit<Waiting<Handle>, 'index' | 'locks'> {
  let settle = () => {};
  return {
    run: async (trx) => {
      await sql`savepoint side_by_side`.execute(trx.kysely);
      try {
        const result = await work(trx);
        settle = () => resolve(result);
      } catch (error) {
        // Fails where the database has given up the whole transaction (a full disk): then it fails for all of them.
        await sql`rollback to side_by_side`.execute(trx.kysely);
        settle = () => reject(error);
      }
      await sql`release side_by_side`.execute(trx.kysely);
    },
    settle: () => settle(),
    fail: reject,
  };
}

function commit<Handle extends Transacting<Handle>>(db: Handle, group: readonly Waiting<Handle>[]): Promise<void> {
  return db.transaction(
    async (trx) => {
      for (const each of group) await each.run(trx);
    },
    locksOfAll(group.map(({ locks }) => locks)),
  );
}
