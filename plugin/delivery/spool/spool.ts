import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../delivery/clock.ts';
import type { RareLog } from '../../../delivery/rare-log.ts';
import { type CatchUp, createCatchUp } from '../catch-up.ts';
import { createDeadLetters, type DeadLetters } from '../dead-letters.ts';
import type { Ledger } from '../ledger.ts';
import { type Adoption, createAdoption } from './adoption.ts';
import { type Budget, createBudget, type FullPolicy } from './budget.ts';
import { codeOf, nodeFiles, type SpoolFiles } from './files.ts';
import { parseFolderName, UNFINISHED } from './folders.ts';
import { isOwned } from './owner.ts';

/** How events are kept on disk. */
export interface SpoolSettings {
  /** Absolute. Shared by all processes of a gateway, and by several gateways if need be. */
  readonly dir: string;
  /** Of all segment files in the folder. */
  readonly maxBytes: number;
  /** An event is on disk at the latest this long after it was pushed, and the time that the disk takes. */
  readonly syncMs: number;
  readonly full: FullPolicy;
  /** How fast what has waited on disk may leave, beyond what comes in meanwhile. */
  readonly catchUpEventsPerSecond: number;
  readonly deadLetterMaxBytes: number;
}

const UNFINISHED_FOR_MS = 60_000;

/** What the stores of a process share. */
export interface Spool {
  readonly settings: SpoolSettings;
  readonly files: SpoolFiles;
  readonly budget: Budget;
  readonly deadLetters: DeadLetters;
  readonly adoption: Adoption;
  /** The same for all Deliveries with one endpoint. */
  catchUpOf(endpointKey: string): CatchUp;
  /** Counts and logs that the disk refused something. */
  trouble(error: unknown): void;
  /** Looks at what others have in the folder. To be called now and then. */
  survey(ownFolders: ReadonlySet<string>): Promise<void>;
}

export interface SpoolOptions {
  readonly settings: SpoolSettings;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly rareLog: RareLog;
  /** The machine's, unless a test has others. */
  readonly files?: SpoolFiles | undefined;
}

export function openSpool({ settings, clock, ledger, rareLog, files = nodeFiles }: SpoolOptions): Spool {
  const { dir } = settings;
  const catchUps = new Map<string, CatchUp>();
  const budget = createBudget(settings.maxBytes, settings.full);

  function trouble(error: unknown): void {
    ledger.totals.spoolErrors++;
    const code = codeOf(error);
    const cause = error instanceof Error ? error.message : String(error);
    rareLog.note({
      key: `spool ${code}`,
      level: 'error',
      msg: 'the spool has trouble with its disk',
      fields: { code, cause, dir },
    });
  }

  return {
    settings,
    files,
    budget,
    trouble,
    deadLetters: createDeadLetters({
      folder: join(dir, 'dead-letter'),
      maxBytes: settings.deadLetterMaxBytes,
      clock,
      totals: ledger.totals,
      onTrouble: trouble,
    }),
    adoption: createAdoption({
      dir,
      clock,
      onAdopted: ({ node, process }) => {
        const fields = { node, process };
        rareLog.note({ key: 'adopted', level: 'info', msg: 'taking over what a dead process left behind', fields });
      },
      onUnclaimed: (name) => {
        const msg =
          'events wait for a Delivery with their API token: several tokens are in use, and none of them is theirs';
        rareLog.note({ key: `unclaimed ${name}`, level: 'error', msg, fields: { folder: name } });
      },
      onTrouble: trouble,
    }),
    catchUpOf(endpointKey) {
      const catchUp = catchUps.get(endpointKey) ?? createCatchUp(settings.catchUpEventsPerSecond, clock);
      catchUps.set(endpointKey, catchUp);
      return catchUp;
    },
    async survey(ownFolders) {
      try {
        budget.setForeign(await foreignBytes(dir, ownFolders, clock));
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') trouble(error);
      }
    },
  };
}

/** What lies in other folders than our own, which is counted as it is written. */
async function foreignBytes(dir: string, ownFolders: ReadonlySet<string>, clock: Clock): Promise<number> {
  let bytes = 0;
  for (const endpointKey of await readdir(dir)) {
    if (!/^[0-9a-f]{16}$/.test(endpointKey)) continue;
    for (const name of await readdir(join(dir, endpointKey)).catch(() => [])) {
      const path = join(dir, endpointKey, name);
      if (name.startsWith(UNFINISHED)) await removeUnfinished(path, name.slice(UNFINISHED.length), clock);
      else if (!ownFolders.has(name)) bytes += await bytesBelow(path);
    }
  }
  return bytes;
}

/** A process was killed while it made its folder: there is nothing in it. One that lives takes no minute for that. */
async function removeUnfinished(path: string, name: string, clock: Clock): Promise<void> {
  const owner = parseFolderName(name);
  const madeAt = (await stat(path).catch(() => undefined))?.mtimeMs;
  if (owner === undefined || madeAt === undefined || clock.epochMs() - madeAt < UNFINISHED_FOR_MS) return;
  if (!(await isOwned(path, owner.process))) await rm(path, { recursive: true, force: true });
}

async function bytesBelow(path: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true }).catch(() => [])) {
    if (!entry.isFile()) continue;
    const file = await stat(join(entry.parentPath, entry.name)).catch(() => undefined);
    bytes += file?.size ?? 0;
  }
  return bytes;
}
