import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SpoolUnavailable } from '../../collectors/core/source.ts';
import { openSpool, type Spool, type SpoolPart } from '../../collectors/core/spool.ts';
import { systemClock } from '../../delivery/clock.ts';

let folder: string;
let spool: Spool;
const GIB = 1024 ** 3;
const open = (maxBytes = GIB, file = 'spool.sqlite') => openSpool(join(folder, file), maxBytes, systemClock);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spool-'));
  spool = open();
});
afterEach(() => {
  spool.close();
  rmSync(folder, { recursive: true });
});

const events = (...names: string[]) => names.map((name) => JSON.stringify({ id: name }));
const commit = (names: string[], cursor: Record<string, string | undefined> = {}) => ({
  events: events(...names),
  dead: [],
  cursor: Object.entries(cursor).map(([key, value]) => ({ key, value })),
});
const textsOf = (part: SpoolPart, ...numbers: number[]) => Buffer.concat(part.jsonOf(numbers)).toString();
const idsIn = (one: Spool, name = 'a') =>
  one
    .part(name)
    .after(0, 100, GIB)
    .map(({ number }) => `${number} ${JSON.parse(textsOf(one.part(name), number)).id}`);

test('events and cursor are there after a restart, numbered on without gaps', async () => {
  const part = spool.part('a');
  await Promise.all([
    part.commit(commit(['x', 'y'], { place: '2' })),
    spool.part('b').commit(commit(['z'], { place: '9' })),
  ]);
  await part.settle([1], 10, []);
  const { process } = part;
  spool.close();
  spool = open();
  await spool.part('a').commit(commit(['w'], { place: '3', more: '1' }));
  expect(idsIn(spool)).toEqual(['2 y', '3 w']);
  expect(textsOf(spool.part('a'), 2, 3)).toBe(events('y', 'w').join(','));
  expect(idsIn(spool, 'b')).toEqual(['1 z']);
  expect(spool.part('a')).toMatchObject({ process, counts: { taken: 3, events: 2 } });
  expect(spool.part('a').cursor.get('place')).toBe('3');
  expect(spool.part('b').cursor.get('place')).toBe('9');
  await spool.part('a').commit(commit([], { place: undefined }));
  expect(spool.part('a').cursor.get('place')).toBeUndefined();
});

test('what a killed process has confirmed is there, and of anything else both event and cursor or neither', async () => {
  const part = spool.part('a');
  let isDone = false;
  const copies: number[] = [];
  const copier = (async () => {
    for (let index = 0; !isDone; index++) {
      const confirmed = Number(part.cursor.get('place') ?? 0);
      // What a power cut would leave: the files as they are at this moment.
      for (const suffix of ['', '-wal']) {
        const file = join(folder, `spool.sqlite${suffix}`);
        if (existsSync(file)) copyFileSync(file, join(folder, `copy-${index}.sqlite${suffix}`));
      }
      copies.push(confirmed);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  for (let index = 1; index <= 40; index++) await part.commit(commit([`e${index}`], { place: String(index) }));
  isDone = true;
  await copier;
  expect(copies.length).toBeGreaterThan(5);
  for (const [index, confirmed] of copies.entries()) {
    const copy = open(GIB, `copy-${index}.sqlite`);
    const place = Number(copy.part('a').cursor.get('place') ?? 0);
    expect(place).toBeGreaterThanOrEqual(confirmed);
    expect(copy.part('a').counts.events).toBe(place);
    copy.close();
  }
});

test('a second process is refused, and told why', () => {
  expect(() => open()).toThrow(/spool\.sqlite is in use by another process: is this collector running twice\?/);
});

test('a full spool refuses, says so to who waits when there is room again, and keeps what it has', async () => {
  spool.close();
  spool = open(20);
  const part = spool.part('a');
  await part.commit(commit(['first', 'second']));
  await expect(part.commit(commit(['third'], { place: '1' }))).rejects.toThrow(SpoolUnavailable);
  expect(part.cursor.get('place')).toBeUndefined();
  const room = part.room(new AbortController().signal);
  const bytes = events('first', 'second').join('').length;
  await part.settle([1, 2], bytes, []);
  await room;
  await part.commit(commit(['third']));
  expect(idsIn(spool)).toEqual(['3 third']);
  const stopped = new AbortController();
  stopped.abort();
  await expect(part.room(stopped.signal)).rejects.toThrow('stopping');
});

test('one commit that fails does not take the others of its transaction with it', async () => {
  const part = spool.part('a');
  const outcomes = await Promise.allSettled([
    part.commit(commit(['good'])),
    part.commit({ ...commit(['half']), cursor: [{ key: 'k', value: Symbol('no text') as unknown as string }] }),
    part.commit(commit(['fine'], { place: '1' })),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(idsIn(spool)).toEqual(['1 good', '2 fine']);
  expect(part.counts).toMatchObject({ taken: 2, events: 2 });
});

test('cursors are listed by their beginning, in order and piece by piece', async () => {
  const part = spool.part('a');
  await part.commit(commit([], { 'o/b': '2', 'o/a': '1', 'o/é': '3', p: '9', o: '0' }));
  expect(part.cursor.list('o/', '', 2)).toEqual([
    { key: 'o/a', value: '1' },
    { key: 'o/b', value: '2' },
  ]);
  expect(part.cursor.list('o/', 'o/b', 10)).toEqual([{ key: 'o/é', value: '3' }]);
});

test('dead letters are kept with their reason, bounded, and all counted', async () => {
  const part = spool.part('a');
  const dead = Array.from({ length: 10_050 }, (_, index) => ({
    kind: 'unmapped' as const,
    reason: `r${index}`,
    record: '{}',
  }));
  await part.commit({ events: [], dead, cursor: [] });
  await part.commit(commit(['x']));
  await part.settle([1], 10, [{ kind: 'rejected', reason: 'no', record: 'x'.repeat(100_000) }]);
  expect(part.counts).toMatchObject({ unmapped: 10_050, rejected: 1 });
  const kept = part.deadLetters(20_000);
  expect(kept).toHaveLength(10_000);
  expect(kept[0]).toMatchObject({ kind: 'rejected', reason: 'no', record: 'x'.repeat(65_536) });
});
