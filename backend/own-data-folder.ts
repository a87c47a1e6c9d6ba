import { join } from 'node:path';
import { USAGE_LEDGER } from './metering/usage-store/index.ts';
import { sharedCommits } from './platform/db/commit-ledger.ts';
import { CONTROL_LEDGER, USAGE_COMMITS } from './platform/db/control-db.ts';
import { DataLost, examineFolder } from './platform/db/data-folder.ts';
import { lockFolder } from './platform/db/folder-lock.ts';
import { createIds } from './platform/ids.ts';
import type { Logger } from './platform/log.ts';

/** A data folder that is this process's alone, and what its databases are opened with. */
export interface OwnedFolder {
  dataId: string;
  epoch: number;
  usageCommits: SharedArrayBuffer;
  release(): void;
}

/**
 * Takes the data folder for a backend, and looks at what is there before anything is opened for writing.
 * @throws FolderTaken when somebody else has it, DataLost when less is there than was answered for
 */
export function claimDataFolder(
  { dataDir, acceptDataLoss }: { dataDir: string; acceptDataLoss: string | undefined },
  nowMs: number,
  log: Logger,
): OwnedFolder {
  const lock = lockFolder(dataDir, { program: 'the backend', startedAtMs: nowMs });
  try {
    const found = examineFolder(
      { name: 'usage.sqlite', path: join(dataDir, 'usage.sqlite'), table: USAGE_LEDGER },
      {
        name: 'control.sqlite',
        path: join(dataDir, 'control.sqlite'),
        table: CONTROL_LEDGER,
        followedCommits: USAGE_COMMITS,
      },
    );
    if (found.losses.length > 0) {
      if (acceptDataLoss !== found.lossCode) throw new DataLost(refusal(dataDir, found));
      log.warn({ losses: found.losses }, 'ACCEPT_DATA_LOSS: the backend goes on without what is missing');
    }
    return {
      dataId: found.dataId ?? createIds({ nowMs: () => nowMs })(),
      epoch: found.epoch + 1,
      usageCommits: sharedCommits(found.followedCommits),
      release: lock.release,
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function refusal(dataDir: string, { losses, lossCode }: { losses: readonly string[]; lossCode: string }): string {
  return [
    `data is missing from ${dataDir}:`,
    ...losses.map((loss) => `  - ${loss}`),
    'Nothing was changed. Put the missing files back or restore a backup (docs/operate.md).',
    `To go on without what is missing, start once with ACCEPT_DATA_LOSS=${lossCode}.`,
  ].join('\n');
}
