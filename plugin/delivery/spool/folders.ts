import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { readFile, rm, rmdir, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../../../delivery/clock.ts';
import { NODE_NAME } from '../../../delivery/names.ts';
import { type Origin, tokenTag } from '../origin.ts';
import { CHECKPOINT_FILES } from './checkpoint.ts';
import { codeOf, type SpoolFiles } from './files.ts';
import { bootId, type Ownership, own, SOCKET } from './owner.ts';
import type { WritableFolder } from './segment-files.ts';

/**
 * The layout of a spool:
 *   <dir>/<endpoint key>/<node>~<process>~<token tag>/   one origin's events, owned by one living process, or by none
 *     00000001.events …                                  segments
 *     checkpoint                                         what is delivered already
 *     owner.sock, machine                                who owns the folder, and on which machine
 *     adopted/<node>~<process>~<token tag>/              what this owner took over from a dead one
 * What a folder's name says cannot be damaged with its content.
 */
export interface FolderName extends Pick<Origin, 'node' | 'process'> {
  readonly tag: string;
}

/** A folder of the spool that belongs to this process. */
export interface OwnFolder extends WritableFolder {
  readonly name: string;
  /** Tells machines that cannot ask its socket that the owner lives. @throws the system's error, when it is gone too */
  beat(): void;
  /** Gives it up: with `isEmpty` the folder goes, otherwise whoever comes next adopts it. */
  end(isEmpty: boolean): Promise<void>;
}

const SEPARATOR = '~';
const ADOPTED = 'adopted';
/** Names the machine, and is touched again and again while the owner lives. */
export const MACHINE = 'machine';
/**
 * The machine's file is filled up to this, so that a full disk has a reserve: an heir frees it, and needs a part of it
 * for a folder of its own. Without that nobody could deliver, and so remove, what fills the disk.
 */
const RESERVE_BYTES = 32 * 1024;
const OWNER_ONLY = 0o700;
/** A folder that is being made; see {@link claimFolder}. */
export const UNFINISHED = '.new-';

export function folderName({ node, process }: Pick<Origin, 'node' | 'process'>, token: string): string {
  return [node, process, tokenTag(process, token)].join(SEPARATOR);
}

/** undefined = no folder of the spool is called like that. */
export function parseFolderName(name: string): FolderName | undefined {
  const [node = '', process = '', tag = '', ...more] = name.split(SEPARATOR);
  const isName = NODE_NAME.test(node) && NODE_NAME.test(process) && /^[0-9a-f]{3}$/.test(tag) && more.length === 0;
  return isName ? { node, process, tag } : undefined;
}

export const adoptedFolder = (folder: string) => join(folder, ADOPTED);

/**
 * Makes a folder that its owner can be seen to own from the moment that it can be seen.
 * @throws the system's error
 */
export function claimFolder(parent: string, name: string, clock: Clock, files: SpoolFiles): OwnFolder {
  const path = join(parent, name);
  const unfinished = join(parent, UNFINISHED + name);
  makeFolders(parent);
  try {
    mkdirSync(unfinished, { mode: OWNER_ONLY });
    writeMachine(join(unfinished, MACHINE));
    const ownership = own(unfinished, parseFolderName(name)?.process ?? '');
    renameSync(unfinished, path);
    return ownFolder(path, name, ownership, clock, files);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
}

/** Like `recursive`, which says ENOENT whatever the reason is: a disk that is read-only is to be called that. */
function makeFolders(path: string): void {
  const make = () => mkdirSync(path, { mode: OWNER_ONLY });
  try {
    make();
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    makeFolders(dirname(path));
    make();
  }
}

/** With its reserve, if there is room for one. @throws the system's error when there is none for the name either */
function writeMachine(path: string): void {
  const line = `${bootId()}\n`;
  try {
    writeFileSync(path, line.padEnd(RESERVE_BYTES), { mode: 0o600 });
  } catch {
    writeFileSync(path, line, { mode: 0o600 });
  }
}

/** Frees the reserve of a folder whose owner is dead. */
export async function freeReserve(folder: string): Promise<void> {
  const path = join(folder, MACHINE);
  const [line = ''] = (await readFile(path, 'utf8')).split('\n', 1);
  await truncate(path, Buffer.byteLength(line) + 1);
}

function ownFolder(path: string, name: string, ownership: Ownership, clock: Clock, files: SpoolFiles): OwnFolder {
  const parent = dirname(path);
  let isSynced = false;
  return {
    path,
    name,
    async synced() {
      if (isSynced) return;
      // The folder of the endpoint may be as new as this one.
      await files.syncFolder(parent);
      await files.syncFolder(dirname(parent));
      isSynced = true;
    },
    beat() {
      const nowSeconds = clock.epochMs() / 1000;
      utimesSync(join(path, MACHINE), nowSeconds, nowSeconds);
    },
    async end(isEmpty) {
      if (isEmpty) await removeContents(path);
      await ownership.end();
      // The socket has gone with its listener. Should anything be left, the next process adopts it.
      if (isEmpty) await rmdir(path).catch(() => undefined);
    },
  };
}

/** Removes a folder in which no events are left; one that has any stays. */
export async function removeFolder(path: string): Promise<void> {
  await removeContents(path);
  await rm(join(path, SOCKET), { force: true });
  await rmdir(path).catch(() => undefined);
}

async function removeContents(path: string): Promise<void> {
  for (const name of [MACHINE, ...CHECKPOINT_FILES]) await rm(join(path, name), { force: true });
  await rmdir(adoptedFolder(path)).catch(() => undefined);
}
