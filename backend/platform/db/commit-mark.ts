import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';

/** What a database has answered for: how many commits the data with this id had when the last answer was given. */
export interface CommitMark {
  dataId: string;
  commits: number;
}

/** One write of a fixed length at the start: a kill leaves the old text or the new one. */
const LENGTH = 64;

/**
 * The file beside a database that its last commit is written to. It is not synced: written after the commit was, it can
 * only say less than the truth when the power fails, and a kill takes nothing that was written.
 */
export interface MarkFile {
  write(mark: CommitMark): void;
  close(): void;
}

/** The name begins as the database's does: who moves that away by its name moves the mark, too. */
export function markPathOf(database: string): string {
  return `${database}-mark`;
}

export function openMarkFile(path: string): MarkFile {
  const descriptor = openSync(path, constants.O_CREAT | constants.O_WRONLY, 0o600);
  return {
    write: ({ dataId, commits }) => {
      writeSync(descriptor, `${dataId} ${commits}`.padEnd(LENGTH - 1).concat('\n'), 0);
    },
    close: () => closeSync(descriptor),
  };
}

/** undefined: there is none, or none that can be read. */
export function readMark(path: string): CommitMark | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const match = /^([0-9A-Z]{26}) (\d{1,15}) *\n$/.exec(text);
  const [, dataId = '', commits = ''] = match ?? [];
  return match === null ? undefined : { dataId, commits: Number.parseInt(commits, 10) };
}
