import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { seal, unseal } from '../sealed.ts';
import { type Ownership, own } from '../spool/owner.ts';
import type { Tally } from './account.ts';

/** What a process has written down of its counts. */
export interface WrittenTally extends Tally {
  /** Requests that were counted by the last writing: Kong may not have been told yet that they are over. */
  readonly lastRequests: readonly string[];
}

/** The file of one process, in a folder of its own that tells whether the process lives. */
export interface TallyFile {
  /** Within the call: what the system has, a killed process does not take with it. @throws the system's error */
  write(json: string): void;
  /** Whether it is still there, and not in a folder that somebody has removed. */
  isThere(): boolean;
  close(): void;
}

const FILE = 'tally';
const UNFINISHED = '.new-';
/** The system copies a page in one step: a kill cannot come in between. The last requests are the most of it. */
const PAGE_BYTES = 4096;

/** @throws the system's error */
export function createTallyFile(folder: string, process: string, json: string): TallyFile {
  const path = join(folder, process);
  const unfinished = join(folder, UNFINISHED + process);
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  const page = Buffer.alloc(PAGE_BYTES);
  let file: number | undefined;
  let ownership: Ownership;
  try {
    ownership = own(unfinished, process);
    file = openSync(join(unfinished, FILE), 'wx', 0o600);
    writePage(file, page, json);
    renameSync(unfinished, path);
  } catch (error) {
    if (file !== undefined) closeSync(file);
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
  const opened = file;
  const inode = statSync(join(path, FILE)).ino;
  return {
    write: (next) => writePage(opened, page, next),
    isThere: () => statSync(join(path, FILE), { throwIfNoEntry: false })?.ino === inode,
    close() {
      closeSync(opened);
      void ownership.end();
    },
  };
}

/** Overwrites the page, so that there is never a time without one, and never a need for room on the disk. */
function writePage(file: number, page: Buffer, json: string): void {
  page.fill(' ', page.write(seal(json), 'latin1'));
  writeSync(file, page, 0, PAGE_BYTES, 0);
}

/** The ids of all processes that have a tally in the folder. */
export function listTallies(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() && !entry.name.startsWith(UNFINISHED) ? [entry.name] : [],
    );
  } catch {
    return [];
  }
}

/** Its owner may be writing it: what cannot be read is read once more. */
const TRIES = 5;

/** undefined = there is none, or it is damaged. */
export function readTally(folder: string, process: string): WrittenTally | undefined {
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      const json = unseal(readFileSync(join(folder, process, FILE), 'latin1').trimEnd());
      // Its checksum says that one of our processes wrote it.
      if (json !== undefined) return JSON.parse(json) as WrittenTally;
    } catch {
      return undefined;
    }
  }
  return undefined;
}

/** Removes the folder of a process that is dead. */
export function removeTally(folder: string, process: string): void {
  rmSync(join(folder, process), { recursive: true, force: true });
}

/** Folders of processes that were killed while they made them. */
export function removeUnfinished(folder: string, olderThanMs: number): void {
  try {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (name.startsWith(UNFINISHED) && statSync(path).mtimeMs < olderThanMs)
        rmSync(path, { recursive: true, force: true });
    }
  } catch {
    // Another process removes them, too.
  }
}
