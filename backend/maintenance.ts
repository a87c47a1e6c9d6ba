import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { BackupError, backUp, repairData, restoreBackup, verifyData } from './backup.ts';
import { ConfigError, loadConfig } from './config.ts';
import { systemClock } from './platform/clock.ts';
import { FolderTaken, lockFolder } from './platform/db/folder-lock.ts';

const USAGE: Record<string, string> = {
  backup:
    'npm run backup -- FOLDER\nCopies both databases of DATA_DIR into a new folder.\n' +
    'Beside a running backend: may be run; it only reads, and the copy has one moment of each database.',
  restore:
    'npm run restore -- FOLDER\nPuts a backup into DATA_DIR, which must have no databases.\n' +
    'Beside a running backend: is refused.',
  verify:
    'npm run verify [-- FOLDER]\nRecomputes all kept figures from the events of DATA_DIR, or of a backup, and compares.\n' +
    'Beside a running backend: may be run; it only reads, and looks at one moment.\n\n' +
    'npm run verify -- --repair\nComputes those of DATA_DIR anew that are not what the events say.\n' +
    'Beside a running backend: is refused.',
};

/** The entries of "npm run backup", "restore" and "verify". @returns the exit code */
export async function runMaintenance(command: 'backup' | 'restore' | 'verify', args: string[]): Promise<number> {
  process.umask(0o077);
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { help: { type: 'boolean', short: 'h' }, repair: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const [folder] = positionals;
    const isWrong =
      positionals.length > 1 ||
      (folder === undefined && command !== 'verify') ||
      // A backup is kept as it was made: it is restored first.
      (values.repair && (command !== 'verify' || folder !== undefined));
    if (values.help || isWrong) {
      process.stdout.write(`${USAGE[command]}\n`);
      return values.help ? 0 : 2;
    }
    const { dataDir, databaseUrl } = loadConfig();
    // A backup that is looked at is a folder with files, whatever the backend has.
    if (databaseUrl !== undefined && !(command === 'verify' && folder !== undefined)) throw onServer(command);
    if (values.repair) return repair(dataDir);
    if (command === 'verify') return verify(folder ?? dataDir);
    await (command === 'backup' ? backup(dataDir, folder ?? '') : restore(folder ?? '', dataDir));
    return 0;
  } catch (error) {
    const isExpected =
      error instanceof BackupError ||
      error instanceof FolderTaken ||
      error instanceof ConfigError ||
      isUsageError(error);
    if (!isExpected) throw error;
    process.stderr.write(`${(error as Error).message}\n`);
    return 1;
  }
}

function onServer(command: string): BackupError {
  const instead = command === 'verify' ? 'figures of a database on PostgreSQL cannot be verified yet' : INSTEAD;
  return new BackupError(`npm run ${command} works on the files of DATA_DIR, and DATABASE_URL is set: ${instead}`);
}

const INSTEAD = "back up and restore the database with PostgreSQL's own pg_dump and pg_restore (docs/scale.md)";

function isUsageError(error: unknown): boolean {
  return error instanceof TypeError && String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS');
}

async function backup(dataDir: string, folder: string): Promise<void> {
  const { files } = await backUp(dataDir, folder, systemClock.nowMs());
  for (const { name, bytes } of files) process.stdout.write(`${name}: ${bytes} bytes\n`);
  process.stdout.write(`The backup is in ${resolve(folder)}.\n`);
}

async function restore(folder: string, dataDir: string): Promise<void> {
  const lock = lockFolder(dataDir, { program: 'npm run restore', startedAtMs: systemClock.nowMs() });
  const { created_at } = await restoreBackup(folder, dataDir).finally(lock.release);
  process.stdout.write(`${dataDir} is as it was at ${created_at}.\n`);
}

function repair(dataDir: string): number {
  const lock = lockFolder(dataDir, { program: 'npm run verify -- --repair', startedAtMs: systemClock.nowMs() });
  try {
    const { recomputed, usage } = repairData(dataDir);
    process.stdout.write(`${recomputed} wrong stretches of time were computed anew.\n`);
    return report({ damage: [], usage });
  } finally {
    lock.release();
  }
}

function verify(folder: string): number {
  return report(verifyData(folder));
}

function report({ damage, usage }: ReturnType<typeof verifyData>): number {
  const problems = [...damage, ...usage.differences];
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  const waiting = usage.waiting === 0 ? '' : `; ${usage.waiting} quarters of an hour wait to be computed anew`;
  process.stdout.write(
    `${usage.series} meters, ${usage.cells} figures compared, ${problems.length} problems${waiting}.\n`,
  );
  return problems.length === 0 ? 0 : 1;
}
