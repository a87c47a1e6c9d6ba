import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { objectOf } from '../metering-and-billing/json-values.ts';
import type { SavedUse } from './counting.ts';
import type { Known } from './knowledge.ts';

/** What is kept over a restart. */
export interface SavedState {
  readonly known: Readonly<Record<string, Known | undefined>>;
  readonly admissions: Readonly<Record<string, SavedUse>>;
}

/** Another layout has another number; a file of another one is not read. */
const LAYOUT = 3;

/** Where the two parts are kept; the second is small and changes with every request. */
const filesOf = (base: string) => ({ known: `${base}.known.json`, admissions: `${base}.under-way.json` });

/** Reads what was kept; a part that is not there, or that cannot be used, is empty. */
export function readState(base: string): SavedState {
  const files = filesOf(base);
  return {
    known: readPart(files.known) as SavedState['known'],
    admissions: readPart(files.admissions) as SavedState['admissions'],
  };
}

function readPart(file: string): Readonly<Record<string, unknown>> {
  try {
    const state = objectOf(JSON.parse(readFileSync(file, 'utf8')));
    return state?.['layout'] === LAYOUT ? (objectOf(state['part']) ?? {}) : {};
  } catch {
    return {};
  }
}

/** As `writeState`, while requests go on. @throws Error when a file cannot be written */
export async function writeStateInBackground(base: string, state: Partial<SavedState>): Promise<void> {
  const files = filesOf(base);
  mkdirSync(dirname(base), { recursive: true });
  for (const part of ['known', 'admissions'] as const) {
    if (state[part] === undefined) continue;
    const temporary = `${files[part]}.${process.pid}.next`;
    await writeFile(temporary, textOf(state[part]), { mode: 0o600 });
    await rename(temporary, files[part]);
  }
}

function textOf(part: object): string {
  return JSON.stringify({ layout: LAYOUT, part });
}

/**
 * Replaces what was kept, each part as a whole or not at all. Not synced: it has to survive the end of the process, not of
 * the machine.
 * @throws Error when a file cannot be written
 */
export function writeState(base: string, state: Partial<SavedState>): void {
  const files = filesOf(base);
  mkdirSync(dirname(base), { recursive: true });
  for (const part of ['known', 'admissions'] as const) {
    if (state[part] === undefined) continue;
    const temporary = `${files[part]}.${process.pid}`;
    writeFileSync(temporary, textOf(state[part]), { mode: 0o600 });
    renameSync(temporary, files[part]);
  }
}
