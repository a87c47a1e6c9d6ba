import type Database from 'better-sqlite3';
import type { Clock, Timer } from '../../delivery/clock.ts';

/** Joins writes that come at about the same time into one transaction, since each costs a sync of the disk. */
export interface GroupCommit {
  /**
   * Runs the work within the next transaction; resolves when that is on disk. Work that throws is undone alone and rejects
   * alone; when the transaction itself fails, all of it was undone and all reject.
   * @param isUrgent false = it may wait for others for a while: nobody waits for it
   */
  write(work: () => void, isUrgent: boolean): Promise<void>;
  /** Commits what waits, within the call. */
  flush(): void;
}

interface Waiting {
  readonly work: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Long enough for the requests of several connections to come in, short beside the sync that they then share. */
const GATHER_MS = 2;
/** What is settled is sent again after a crash, and counts once: it can wait for a commit that is needed anyway. */
const LAZY_MS = 100;

export function createGroupCommit(db: Database.Database, clock: Clock): GroupCommit {
  let waiting: Waiting[] = [];
  let timer: Timer | undefined;
  let isSoon = false;
  const begin = db.prepare('SAVEPOINT one');
  const keep = db.prepare('RELEASE one');
  const undo = db.prepare('ROLLBACK TO one');
  const all = db.transaction((group: readonly Waiting[], failed: Map<Waiting, unknown>) => {
    for (const item of group) {
      begin.run();
      try {
        item.work();
      } catch (error) {
        // A full disk undoes the whole transaction: then there is nothing left to undo here.
        if (!db.inTransaction) throw error;
        undo.run();
        failed.set(item, error);
      }
      keep.run();
    }
  });

  function flush(): void {
    timer?.cancel();
    timer = undefined;
    isSoon = false;
    const group = waiting;
    if (group.length === 0) return;
    waiting = [];
    const failed = new Map<Waiting, unknown>();
    try {
      all(group, failed);
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    for (const item of group) {
      if (failed.has(item)) item.reject(failed.get(item));
      else item.resolve();
    }
  }

  return {
    write(work, isUrgent) {
      return new Promise((resolve, reject) => {
        waiting.push({ work, resolve, reject });
        if (isSoon || (timer !== undefined && !isUrgent)) return;
        timer?.cancel();
        isSoon = isUrgent;
        timer = clock.setTimer(flush, isUrgent ? GATHER_MS : LAZY_MS);
      });
    },
    flush,
  };
}
