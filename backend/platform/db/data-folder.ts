import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import { filled } from '../defined.ts';
import { type LedgerRow, readLedger } from './commit-ledger.ts';
import { markPathOf, readMark } from './commit-mark.ts';

/** A database of a data folder, and the table with its ledger row. */
export interface OwnedFile {
  /** For people: "usage.sqlite". */
  name: string;
  path: string;
  table: string;
}

/** What a start finds before it changes anything. */
export interface FolderState {
  /** Undefined: the files have none yet. */
  dataId: string | undefined;
  /** The highest that any file has. */
  epoch: number;
  /** Commits of the file that the other one follows. */
  followedCommits: number;
  /** What is there less than was once answered for; each a sentence. */
  losses: readonly string[];
  /** Made of the losses: with it, these and no others are accepted. */
  lossCode: string;
}

/** Data is missing that was answered for. The message says what, and how to go on without it. */
export class DataLost extends Error {}

/**
 * Holds the two files of a data folder against each other and against their marks: a file that is missing or belongs to
 * other data, and commits that were answered for and are not there (a write-ahead log that was deleted or damaged, a
 * file from an older copy). Only reads, so that what is wrong stays as it is for whoever looks at it. To be called by the
 * holder of the folder's lock.
 * @param follower the file that writes down what the other one had at least, in its column `followedCommits`
 */
export function examineFolder(followed: OwnedFile, follower: OwnedFile & { followedCommits: string }): FolderState {
  const [a, b] = [look(followed), look(follower, follower.followedCommits)];
  const losses = [
    ...missing(followed, a, b, follower),
    ...missing(follower, b, a, followed),
    ...missingCommits(followed, a, b.followedCommits),
    ...missingCommits(follower, b, 0),
  ];
  const [ofA, ofB] = [filled(a.ledger?.dataId), filled(b.ledger?.dataId)];
  if (ofA !== undefined && ofB !== undefined && ofA !== ofB) {
    losses.push(`${followed.name} and ${follower.name} do not belong together: they are of different data folders`);
  }
  return {
    dataId: b.ledger?.dataId ?? a.ledger?.dataId ?? undefined,
    epoch: Math.max(a.ledger?.epoch ?? 0, b.ledger?.epoch ?? 0),
    followedCommits: a.ledger?.commits ?? 0,
    losses,
    lossCode: createHash('sha256').update(losses.join('\n')).digest('hex').slice(0, 12),
  };
}

interface Look {
  exists: boolean;
  ledger: LedgerRow | undefined;
  /** What the mark beside the file says, when it is of the same data. */
  markedCommits: number;
  /** What the file says of the other one. */
  followedCommits: number;
}

function look({ path, table }: OwnedFile, followedColumn?: string): Look {
  if (!existsSync(path)) return { exists: false, ledger: undefined, markedCommits: 0, followedCommits: 0 };
  const db = new SqliteDatabase(path, { readonly: true, fileMustExist: true });
  try {
    const ledger = readLedger(db, table);
    const mark = readMark(markPathOf(path));
    const markedCommits = mark !== undefined && mark.dataId === ledger?.dataId ? mark.commits : 0;
    const followedCommits =
      ledger === undefined || followedColumn === undefined
        ? 0
        : (db.prepare(`SELECT ${followedColumn} FROM ${table}`).pluck().get() as number);
    return { exists: true, ledger, markedCommits, followedCommits };
  } finally {
    db.close();
  }
}

/** A file that was never owned is one of an older program, or of a start that ended early; not beside one that was. */
function missing(file: OwnedFile, found: Look, otherFound: Look, other: OwnedFile): string[] {
  const otherIsOwned = (otherFound.ledger?.dataId ?? null) !== null && (otherFound.ledger?.commits ?? 0) > 0;
  if (!otherIsOwned || (found.ledger?.dataId ?? null) !== null) return [];
  return [found.exists ? `${file.name} is not the one that ${other.name} belongs to` : `${file.name} is missing`];
}

function missingCommits({ name }: OwnedFile, { ledger, markedCommits }: Look, followedCommits: number): string[] {
  const answered = Math.max(markedCommits, followedCommits);
  if (ledger === undefined || ledger.commits >= answered) return [];
  const lost = answered - ledger.commits;
  return [
    `${name} lacks its last ${lost} changes, which had been answered for (it has ${ledger.commits} of ${answered})`,
  ];
}
