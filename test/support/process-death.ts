import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestBackend, type TestBackend } from './backend.ts';

/** Longer than the lease of billing: the next process finds that the one before is dead. */
const NEXT_PROCESS_MS = 120_000;

/**
 * Does something and has the process die in the middle of it: a new backend finds the control database as it was on
 * disk after so many commits, with whatever its log holds. What the old one did afterwards never happened, nor did its
 * answers arrive. The work must not store events: the usage store's files are those of its end.
 * @param commits transactions that the process lived for, from 1
 * @param options of the backend that follows; onDeath: what others notice of the death
 * @returns the backend that follows; undefined when the work took fewer commits, and so was done
 */
export async function dieDuring(
  backend: TestBackend,
  commits: number,
  work: () => Promise<unknown>,
  { onDeath, ...options }: Parameters<typeof createTestBackend>[0] & { onDeath?: () => void } = {},
): Promise<TestBackend | undefined> {
  const { db, usage, dataDir, clock } = backend;
  const { transaction } = db;
  let left = commits;
  let folder: string | undefined;
  db.transaction = async (inner) => {
    const result = await transaction(inner);
    left -= 1;
    // Everything that writes the database runs on this thread: nobody writes while it is copied.
    if (left === 0) {
      folder = copied(dataDir, (file) => file.startsWith('control.'));
      onDeath?.();
    }
    return result;
  };
  await work();
  db.transaction = transaction;
  if (folder === undefined) return undefined;
  await usage.close();
  copied(dataDir, (file) => !file.startsWith('control.'), folder);
  await db.close();
  rmSync(dataDir, { recursive: true, force: true });
  return createTestBackend({
    ...options,
    dataDir: folder,
    start: new Date(clock.nowMs() + NEXT_PROCESS_MS).toISOString(),
  });
}

function copied(from: string, isWanted: (file: string) => boolean, to = mkdtempSync(join(tmpdir(), 'backend-'))) {
  for (const file of readdirSync(from).filter(isWanted)) {
    // The log of a database goes when its last connection closes.
    if (existsSync(join(from, file))) copyFileSync(join(from, file), join(to, file));
  }
  return to;
}
