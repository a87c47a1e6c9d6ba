import type { Clock } from '../../../delivery/clock.ts';
import { isOwned } from '../spool/owner.ts';
import type { Account } from './account.ts';
import { listTallies, removeTally, removeUnfinished } from './tally-file.ts';

/** What a dead process has written last is kept for as long as Kong may tell its last requests once more. */
const DEAD_FOR_MS = 60_000;

/**
 * Removes what dead processes have left, when the account has had it for long enough.
 * @param own the process that sweeps
 */
export function createSweep(
  folder: string,
  own: string,
  clock: Clock,
): (account: Account | undefined) => Promise<void> {
  const dead = new Map<string, number>();
  return async (account) => {
    removeUnfinished(folder, clock.epochMs() - DEAD_FOR_MS);
    for (const process of listTallies(folder)) {
      if (process === own || (await isOwned(`${folder}/${process}`, process))) {
        dead.delete(process);
        continue;
      }
      const since = dead.get(process) ?? clock.now();
      dead.set(process, since);
      if (clock.now() - since < DEAD_FOR_MS || account?.tallies[process] === undefined) continue;
      removeTally(folder, process);
      dead.delete(process);
    }
  };
}
