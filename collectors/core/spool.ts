import type Database from 'better-sqlite3';
import type { Clock } from '../../delivery/clock.ts';
import { newProcessId } from '../../delivery/names.ts';
import { continuesRun } from '../../delivery/numbering.ts';
import { createGroupCommit } from './group-commit.ts';
import { type Cursor, type CursorChange, pause, SpoolUnavailable, Stopped } from './source.ts';
import { openSpoolFile } from './spool-tables.ts';

/** Events and cursors on disk, in one file for a process: what is in it survives whatever becomes of the process. */
export interface Spool {
  /** The part of one collector; made when it is new. */
  part(name: string): SpoolPart;
  readonly maxBytes: number;
  /** Bytes of the events that wait, of all collectors. */
  readonly bytes: number;
  /** Commits what waits, and closes the file. */
  close(): void;
}

/** A record that made no event, or an event that was refused. */
export interface DeadLetter {
  readonly kind: 'unmapped' | 'rejected';
  readonly reason: string;
  /** JSON of the record or event. */
  readonly record: string;
}

/** As it is kept: a record that was longer than {@link MAX_DEAD_CHARACTERS} is cut off. */
export interface KeptLetter extends DeadLetter {
  readonly id: number;
  readonly atMs: number;
}

/** What is to become durable at once. */
export interface Commit {
  /** JSON texts. */
  readonly events: readonly string[];
  readonly dead: readonly DeadLetter[];
  readonly cursor: readonly CursorChange[];
  /** Numbers of dead letters whose events are among these: they are none any more. */
  readonly revived?: readonly number[];
}

/** An event that waits, with the number that the ledger knows it by. */
export interface SpooledEvent {
  readonly number: number;
  readonly takenAtMs: number;
  /** Of its JSON. The text itself stays on disk until it is sent. */
  readonly bytes: number;
}

export interface SpoolCounts {
  /** Events that wait. */
  readonly events: number;
  readonly bytes: number;
  /** Events taken since the file was made. */
  readonly taken: number;
  /** Dead letters since then, by kind. */
  readonly unmapped: number;
  readonly rejected: number;
}

export interface SpoolPart {
  /** The series of numbers of this part. */
  readonly process: string;
  readonly counts: SpoolCounts;
  readonly cursor: Cursor;
  /** @throws SpoolUnavailable when there is no room; other errors are the disk's, and nothing was taken */
  commit(commit: Commit): Promise<void>;
  /** Resolves when there is room again; rejects with {@link Stopped}. */
  room(signal: AbortSignal): Promise<void>;
  /** The next events behind a number: at most so many and so many bytes, one at least. */
  after(number: number, most: number, mostBytes: number): SpooledEvent[];
  /** The JSON of events that wait, joined by commas, in pieces; their numbers rise. As it is sent: as text it would be made twice. */
  jsonOf(numbers: readonly number[]): readonly Buffer[];
  /** They are dealt with; what was refused of them is kept as dead letters. */
  settle(numbers: readonly number[], bytes: number, dead: readonly DeadLetter[]): Promise<void>;
  /** Dead letters, the newest first, at most so many; those that are older than one of them. */
  deadLetters(most: number, before?: number): readonly KeptLetter[];
  /** Called after each commit that brought events. */
  onEvents(listener: () => void): void;
}

/** Dead letters are for people to look at: of each collector so many are kept, the oldest go first, and all are counted. */
const MAX_DEAD = 10_000;
/** Longer ones cannot be brought back; all together are some hundred megabytes at the worst. */
const MAX_DEAD_CHARACTERS = 64 * 1024;
const ROOM_MS = 200;
const COMMA = Buffer.from(',');

/** @throws Error for the operator: in use by another process, another version, not to be opened */
export function openSpool(path: string, maxBytes: number, clock: Clock): Spool {
  const db = openSpoolFile(path);
  const group = createGroupCommit(db, clock);
  const parts = new Map<string, SpoolPart>();
  const bytesOf = () => [...parts.values()].reduce((sum, { counts }) => sum + counts.bytes, 0);
  const surroundings = { db, group, clock, hasRoom: () => bytesOf() < maxBytes };
  return {
    part(name) {
      const part = parts.get(name) ?? openPart(name, surroundings);
      parts.set(name, part);
      return part;
    },
    maxBytes,
    get bytes() {
      return bytesOf();
    },
    close() {
      group.flush();
      db.close();
    },
  };
}

interface Surroundings {
  readonly db: Database.Database;
  readonly group: ReturnType<typeof createGroupCommit>;
  readonly clock: Clock;
  readonly hasRoom: () => boolean;
}

interface CollectorRow {
  id: number;
  process: string;
  taken: number;
  events: number;
  bytes: number;
  unmapped: number;
  rejected: number;
}

function openPart(name: string, surroundings: Surroundings): SpoolPart {
  const { db, group, clock, hasRoom } = surroundings;
  const row = findOrAdd(db, name, clock);
  const writer = createPartWriter(db, row, clock);
  const listeners: (() => void)[] = [];
  const next = db.prepare<[number, number, number], { number: number; taken_at: number; bytes: number }>(
    'SELECT number, taken_at, octet_length(event) AS bytes FROM spool WHERE collector = ? AND number > ? ORDER BY number LIMIT ?',
  );
  const joined = db.prepare<[number, number, number], { json: Buffer | null }>(
    `SELECT CAST(group_concat(event, ',') AS BLOB) AS json FROM
     (SELECT event FROM spool WHERE collector = ? AND number BETWEEN ? AND ? ORDER BY number)`,
  );
  const dead = db.prepare<
    [number, number, number],
    { id: number; at: number; kind: string; reason: string; record: string }
  >('SELECT id, at, kind, reason, record FROM dead WHERE collector = ? AND id < ? ORDER BY id DESC LIMIT ?');

  return {
    process: row.process,
    // As of the last transaction that is on disk.
    get counts() {
      return writer.counts;
    },
    cursor: createCursor(db, row.id),
    async commit(commit) {
      if (!hasRoom()) throw new SpoolUnavailable('the spool is full');
      await group.write(() => writer.add(commit), true);
      writer.confirm();
      if (commit.events.length > 0) for (const listener of listeners) listener();
    },
    async room(signal) {
      while (!hasRoom() && !signal.aborted) await pause(clock, ROOM_MS, signal);
      if (signal.aborted) throw new Stopped();
    },
    after(number, most, mostBytes) {
      const events: SpooledEvent[] = [];
      let sum = 0;
      for (const { number: own, taken_at: takenAtMs, bytes } of next.iterate(row.id, number, most)) {
        sum += bytes;
        if (events.length > 0 && sum > mostBytes) break;
        events.push({ number: own, takenAtMs, bytes });
      }
      return events;
    },
    jsonOf: (numbers) =>
      runsOf(numbers).flatMap(([first, last], index) => {
        const json = joined.get(row.id, first, last)?.json ?? Buffer.alloc(0);
        return index === 0 ? [json] : [COMMA, json];
      }),
    async settle(numbers, bytes, deadLetters) {
      await group.write(() => writer.remove(numbers, bytes, deadLetters), false);
      writer.confirm();
    },
    deadLetters: (most, before = Number.MAX_SAFE_INTEGER) =>
      dead.all(row.id, before, most).map(({ at, kind, ...letter }) => ({
        ...letter,
        atMs: at,
        kind: kind === 'rejected' ? 'rejected' : 'unmapped',
      })),
    onEvents(listener) {
      listeners.push(listener);
    },
  };
}

function findOrAdd(db: Database.Database, name: string, clock: Clock): CollectorRow {
  return db.transaction(() => {
    const find = db.prepare<[string], CollectorRow>('SELECT * FROM collector WHERE name = ?');
    const found = find.get(name);
    if (found !== undefined) return found;
    const process = newProcessId(clock);
    db.prepare('INSERT INTO collector VALUES (NULL, ?, ?, 0, 0, 0, 0, 0)').run(name, process);
    return find.get(name) as CollectorRow;
  })();
}

/** Writes within a transaction of the group; the counts that it hands out follow when that is on disk. */
function createPartWriter(db: Database.Database, row: CollectorRow, clock: Clock) {
  const read = db.prepare<[number], CollectorRow>('SELECT * FROM collector WHERE id = ?');
  const insert = db.prepare('INSERT INTO spool (collector, number, taken_at, event) VALUES (?, ?, ?, ?)');
  const bury = db.prepare('INSERT INTO dead (collector, at, kind, reason, record) VALUES (?, ?, ?, ?, ?)');
  const prune = db.prepare(
    'DELETE FROM dead WHERE collector = ? AND id <= (SELECT id FROM dead WHERE collector = ? ORDER BY id DESC LIMIT 1 OFFSET ?)',
  );
  const remove = db.prepare('DELETE FROM spool WHERE collector = ? AND number BETWEEN ? AND ?');
  const revive = db.prepare('DELETE FROM dead WHERE collector = ? AND id = ?');
  const put = db.prepare('INSERT INTO cursor VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value');
  const forget = db.prepare('DELETE FROM cursor WHERE collector = ? AND key = ?');
  const count = db.prepare(
    `UPDATE collector SET taken = taken + ?, events = events + ?, bytes = bytes + ?, unmapped = unmapped + ?,
     rejected = rejected + ? WHERE id = ?`,
  );
  let counts: SpoolCounts = row;

  function buryAll(dead: readonly DeadLetter[]): { unmapped: number; rejected: number } {
    const at = clock.epochMs();
    for (const { kind, reason, record } of dead)
      bury.run(row.id, at, kind, reason, record.slice(0, MAX_DEAD_CHARACTERS));
    if (dead.length > 0) prune.run(row.id, row.id, MAX_DEAD);
    const unmapped = dead.filter(({ kind }) => kind === 'unmapped').length;
    return { unmapped, rejected: dead.length - unmapped };
  }

  return {
    get counts() {
      return counts;
    },
    confirm() {
      counts = read.get(row.id) ?? counts;
    },
    add({ events, dead, cursor, revived = [] }: Commit): void {
      const at = clock.epochMs();
      let number = read.get(row.id)?.taken ?? 0;
      let bytes = 0;
      for (const event of events) {
        insert.run(row.id, ++number, at, event);
        bytes += Buffer.byteLength(event);
      }
      for (const { key, value } of cursor) {
        if (value === undefined) forget.run(row.id, key);
        else put.run(row.id, key, value);
      }
      for (const id of revived) revive.run(row.id, id);
      const { unmapped, rejected } = buryAll(dead);
      count.run(events.length, events.length, bytes, unmapped, rejected, row.id);
    },
    remove(numbers: readonly number[], bytes: number, dead: readonly DeadLetter[]): void {
      let removed = 0;
      for (const [first, last] of runsOf(numbers)) removed += remove.run(row.id, first, last).changes;
      const { unmapped, rejected } = buryAll(dead);
      count.run(0, -removed, -bytes, unmapped, rejected, row.id);
    },
  };
}

/** Neighbours as one range each. */
function runsOf(numbers: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last !== undefined && continuesRun(last[1], number)) last[1] = number;
    else runs.push([number, number]);
  }
  return runs;
}

function createCursor(db: Database.Database, id: number): Cursor {
  const get = db.prepare<[number, string], { value: string }>(
    'SELECT value FROM cursor WHERE collector = ? AND key = ?',
  );
  const list = db.prepare<[number, string, string, string, number], { key: string; value: string }>(
    'SELECT key, value FROM cursor WHERE collector = ? AND key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?',
  );
  return {
    get: (key) => get.get(id, key)?.value,
    // No text is higher than one with the highest character behind it, by the bytes of UTF-8.
    list: (prefix, after, most) => list.all(id, prefix, `${prefix}\u{10ffff}`, after, most),
  };
}
