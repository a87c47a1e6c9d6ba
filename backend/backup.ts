import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { repairSqliteUsage, type VerifyResult, verifySqliteUsage } from './metering/usage-store/index.ts';
import { copyDatabase, findDamage, sha256OfFile, syncFile } from './platform/db/backup.ts';
import { formatInstant } from './platform/instant.ts';

/**
 * The databases, in the order in which they are copied: what invoices say of events is in the first one, so that the
 * events must be at least as young.
 */
const DATABASES = ['control.sqlite', 'usage.sqlite'] as const;
const MANIFEST = 'backup.json';

const manifestSchema = z.object({
  created_at: z.string(),
  files: z.array(z.object({ name: z.enum(DATABASES), bytes: z.int(), sha256: z.string() })),
});
export type BackupManifest = z.output<typeof manifestSchema>;

/** What is wrong is for people at a terminal: a sentence, no stack. */
export class BackupError extends Error {}

/**
 * Copies both databases of a backend, which may be running, into a new folder.
 * @throws BackupError when there is nothing to copy, or the folder has something in it
 */
export async function backUp(dataDir: string, folder: string, nowMs: number): Promise<BackupManifest> {
  for (const name of DATABASES) {
    if (!existsSync(join(dataDir, name))) throw new BackupError(`there is no ${name} in ${resolve(dataDir)}`);
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (readdirSync(folder).length > 0) throw new BackupError(`the folder is not empty: ${resolve(folder)}`);
  const files: BackupManifest['files'] = [];
  for (const name of DATABASES) {
    const target = join(folder, name);
    copyDatabase(join(dataDir, name), target);
    files.push({ name, bytes: statSync(target).size, sha256: await sha256OfFile(target) });
  }
  const manifest = { created_at: formatInstant(nowMs), files };
  // Last: a folder with it is a whole backup.
  const path = join(folder, MANIFEST);
  writeFileSync(path, `${JSON.stringify(manifest, undefined, 2)}\n`, { mode: 0o600 });
  syncFile(path);
  syncFile(folder);
  return manifest;
}

/**
 * Puts the databases of a backup into a folder without any, after it has looked at both.
 * @throws BackupError when the backup is not whole, or the folder has databases
 */
export async function restoreBackup(folder: string, dataDir: string): Promise<BackupManifest> {
  const manifest = readManifest(folder);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const existing = readdirSync(dataDir).filter((name) => DATABASES.some((database) => name.startsWith(database)));
  if (existing.length > 0) {
    throw new BackupError(`${resolve(dataDir)} has ${existing.join(', ')}: stop the backend and move them away first`);
  }
  for (const { name, sha256 } of manifest.files) {
    if ((await sha256OfFile(join(folder, name))) !== sha256) throw new BackupError(`${name} is not as it was written`);
  }
  for (const { name } of manifest.files) {
    const target = join(dataDir, name);
    copyFileSync(join(folder, name), target);
    syncFile(target);
    const damage = findDamage(target);
    if (damage.length > 0) throw new BackupError(`${name} is damaged: ${damage[0]}`);
  }
  syncFile(dataDir);
  return manifest;
}

function readManifest(folder: string): BackupManifest {
  const path = join(folder, MANIFEST);
  if (!existsSync(path)) throw new BackupError(`${resolve(folder)} has no ${MANIFEST}: it is no whole backup`);
  const result = manifestSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  const names = result.success ? result.data.files.map(({ name }) => name) : [];
  if (!result.success || names.join() !== DATABASES.join()) throw new BackupError(`${path} is not readable`);
  return result.data;
}

/**
 * Computes figures anew that are not what the events say. The caller holds the lock of the folder.
 * @throws BackupError without databases, or when a file itself is damaged: nothing can be computed from that
 */
export function repairData(dataDir: string): { recomputed: number; usage: VerifyResult } {
  const path = join(dataDir, 'usage.sqlite');
  if (!existsSync(path)) throw new BackupError(`there is no usage.sqlite in ${resolve(dataDir)}`);
  const [damage] = findDamage(path);
  if (damage !== undefined) throw new BackupError(`usage.sqlite is damaged: ${damage}: restore a backup`);
  const { recomputed, result } = repairSqliteUsage(path);
  return { recomputed, usage: result };
}

/** Recomputes all figures that are kept ahead of time; the backend may be running. @throws BackupError without databases */
export function verifyData(dataDir: string): { damage: string[]; usage: VerifyResult } {
  for (const name of DATABASES) {
    if (!existsSync(join(dataDir, name))) throw new BackupError(`there is no ${name} in ${resolve(dataDir)}`);
  }
  const damage = DATABASES.flatMap((name) => findDamage(join(dataDir, name)).map((text) => `${name}: ${text}`));
  return { damage, usage: verifySqliteUsage(join(dataDir, 'usage.sqlite')) };
}
