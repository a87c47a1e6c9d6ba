import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../clock.ts';
import { NODE_NAME, type Origin, tokenTag } from '../origin.ts';
import { CHECKPOINT_FILES } from './checkpoint.ts';
import type { SpoolFiles } from './files.ts';
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
  mkdirSync(parent, { recursive: true, mode: OWNER_ONLY });
  try {
    mkdirSync(unfinished, { mode: OWNER_ONLY });
    writeFileSync(join(unfinished, MACHINE), `${bootId()}\n`, { mode: 0o600 });
    const ownership = own(unfinished, parseFolderName(name)?.process ?? '');
    renameSync(unfinished, path);
    return ownFolder(path, name, ownership, clock, files);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
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
