import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../delivery/clock.ts';
import { newProcessId } from '../../delivery/names.ts';
import type { Totals } from './ledger.ts';
import { stringOf, type Text } from './texts.ts';

/** An event that the endpoint refuses, and will refuse however often it is sent. */
export interface DeadLetter {
  readonly entry: Text;
  /** Where it was sent: scheme, host and port. */
  readonly endpoint: string;
  readonly status: number;
  /** Why, in the endpoint's words, without secrets. */
  readonly reason: string;
}

/** Keeps refused events in files of JSON lines for somebody to look into, bounded in bytes: the oldest go first. */
export interface DeadLetters {
  /** Resolves when they are on disk, or when that has failed. Never rejects. */
  keep(letters: readonly DeadLetter[]): Promise<void>;
  close(): Promise<void>;
}

export interface DeadLettersOptions {
  readonly folder: string;
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly totals: Totals;
  readonly onTrouble: (error: unknown) => void;
}

const ENDING = '.jsonl';
/** Of the bytes that may be there this part goes at once. */
const FILE_SHARE = 1 / 8;
/** Each process has a file of its own, be it ever so small. */
const MAX_FILES = 1000;

interface OpenFile {
  readonly handle: FileHandle;
  bytes: number;
}

export function createDeadLetters(options: DeadLettersOptions): DeadLetters {
  const { folder, clock, totals, onTrouble } = options;
  const fileBytes = options.maxBytes * FILE_SHARE;
  // Files of a process of their own: rotating one that others write to as well would lose what they write meanwhile.
  const name = newProcessId(clock);
  let fileNumber = 0;
  let current: OpenFile | undefined;
  let queue = Promise.resolve();

  async function fileFor(bytes: number): Promise<OpenFile> {
    const isUsable =
      current !== undefined &&
      current.bytes + bytes <= fileBytes &&
      // Another process removes the oldest files, whoever writes to them.
      (await current.handle.stat()).nlink > 0;
    if (current !== undefined && isUsable) return current;
    await current?.handle.close();
    current = undefined;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    totals.deadLettersLost += await makeRoom(folder, options.maxBytes - Math.max(bytes, fileBytes));
    const path = join(folder, `${name}-${String(++fileNumber).padStart(6, '0')}${ENDING}`);
    current = { handle: await open(path, 'ax', 0o600), bytes: 0 };
    return current;
  }

  async function append(letters: readonly DeadLetter[]): Promise<void> {
    const at = new Date(clock.epochMs()).toISOString();
    const lines = Buffer.from(letters.map((letter) => lineOf(letter, at)).join(''));
    try {
      const file = await fileFor(lines.length);
      file.bytes += lines.length;
      await file.handle.appendFile(lines);
      await file.handle.datasync();
      totals.deadLettered += letters.length;
    } catch (error) {
      totals.deadLettersLost += letters.length;
      onTrouble(error);
    }
  }

  return {
    keep(letters) {
      if (letters.length > 0) queue = queue.then(() => append(letters));
      return queue;
    },
    async close() {
      await queue;
      await current?.handle.close().catch(onTrouble);
      current = undefined;
    },
  };
}

/** The event stands last and as it is: its text is JSON already. */
function lineOf({ entry, endpoint, status, reason }: DeadLetter, at: string): string {
  return `${JSON.stringify({ at, endpoint, status, reason }).slice(0, -1)},"event":${stringOf(entry)}}\n`;
}

/** Removes the oldest files until the others have no more than so many bytes. Resolves with the lines that are gone. */
async function makeRoom(folder: string, mostBytes: number): Promise<number> {
  const files: { readonly path: string; readonly bytes: number }[] = [];
  for (const name of (await readdir(folder)).toSorted()) {
    if (name.endsWith(ENDING)) files.push({ path: join(folder, name), bytes: await sizeOf(join(folder, name)) });
  }
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  let lines = 0;
  for (const [index, file] of files.entries()) {
    if (bytes <= mostBytes && files.length - index < MAX_FILES) break;
    // Another process may have been faster.
    lines += await countLines(file.path).catch(() => 0);
    await rm(file.path, { force: true });
    bytes -= file.bytes;
  }
  return lines;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}

async function countLines(path: string): Promise<number> {
  let lines = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
  }
  return lines;
}
