import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Origin } from '../origin.ts';
import { seal, unseal } from '../sealed.ts';

/** What a folder's owner knew when it wrote it down: a hint that saves sending things twice, never a proof of loss. */
export interface Checkpoint {
  /** The highest number given. */
  readonly taken: number;
  readonly dropped: Readonly<Record<string, number>>;
  /** Ranges of numbers that are delivered or dropped. */
  readonly finished: readonly (readonly [number, number])[];
}

const FILE = 'checkpoint';
const NEXT = 'checkpoint.next';
/** The files of a checkpoint. */
export const CHECKPOINT_FILES = [FILE, NEXT] as const;
/** What lies beyond is sent again: a thousand gaps are some 20 KB, written once a second. */
const MAX_RANGES = 1000;

const NOTHING: Checkpoint = { taken: 0, dropped: {}, finished: [] };

/** Replaces the folder's checkpoint; not twice at the same time. Rejects with the system's error. */
export async function writeCheckpoint(
  folder: string,
  { taken, dropped }: Pick<Origin, 'taken'> & { dropped: Checkpoint['dropped'] },
  finished: { list(most: number): [number, number][] },
): Promise<void> {
  const json = JSON.stringify({ taken, dropped, finished: finished.list(MAX_RANGES) } satisfies Checkpoint);
  const next = join(folder, NEXT);
  // Not synced: after a loss of power an old one, or none, only means that more is sent again.
  await writeFile(next, `${seal(json)}\n`, { mode: 0o600 });
  await rename(next, join(folder, FILE));
}

/** A folder's checkpoint. When there is none, or one byte of it is wrong, it says nothing: all that is there is sent. */
export function readCheckpoint(folder: string): Checkpoint {
  try {
    const text = readFileSync(join(folder, FILE), 'utf8');
    const json = text.endsWith('\n') ? unseal(text.slice(0, -1)) : undefined;
    if (json === undefined) return NOTHING;
    // Its checksum says that this folder's owner wrote it.
    return JSON.parse(json) as Checkpoint;
  } catch {
    return NOTHING;
  }
}
