import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../delivery/clock.ts';
import { idOf } from '../../../../plugin/delivery/event-store.ts';
import { openAdoptedStore } from '../../../../plugin/delivery/spool/adopted-store.ts';
import { createBudget } from '../../../../plugin/delivery/spool/budget.ts';
import { nodeFiles, type SpoolFiles } from '../../../../plugin/delivery/spool/files.ts';
import type { IngestServer } from '../../../support/plugin/ingest-server.ts';
import { createRig, event, ids, pushAll, serve, until } from '../../../support/plugin/rig.ts';
import { filesIn, idsOnDisk, segmentsIn, spoolSettings, tempFolder } from '../../../support/plugin/spool.ts';

const LONG = process.env['LONG'] === '1';
const soon = { maxBatchSize: 4, maxCoalescingDelayMs: 10, initialRetryDelayMs: 5, maxRetryDelayMs: 20 };

/** A spool that a process has left behind: 12 events in three segments, the first two of them confirmed. */
async function leaveBehind(dir: string): Promise<{ folder: string; server: IngestServer }> {
  let accepts = false;
  const server = await serve(({ ids: sent }) => ({ status: accepts && sent[0] === 'w0-0' ? 202 : 503 }));
  // Three segments: an event of 70 KB fills one.
  const queue = { ...soon, maxBatchSize: 2, maxEntries: 100 };
  const rig = createRig(server.url, { spool: spoolSettings(dir, { maxBytes: 1_048_576 }), queue, node: 'dead' });
  for (let window = 0; window < 3; window++) {
    for (const id of ids(3, `w${window}-`)) rig.delivery.push(event(id));
    rig.delivery.push(event(`w${window}-large`, 'x'.repeat(70_000)));
    await until(() => expect(rig.deliveries.snapshot().spooled).toBe((window + 1) * 4));
  }
  accepts = true;
  await until(() => expect(rig.deliveries.counters().sent).toBe(2));
  await rig.deliveries.stop(10);
  const [key = ''] = readdirSync(dir);
  const [name = ''] = readdirSync(join(dir, key));
  return { folder: join(dir, key, name), server };
}

interface Outcome {
  /** In the order in which they came. */
  readonly ids: readonly string[];
  readonly numbers: readonly number[];
  readonly lost: number;
  readonly troubles: readonly string[];
}

/** Reads a folder as an heir does, to the end. */
async function inherit(folder: string, files: SpoolFiles = nodeFiles): Promise<Outcome> {
  const outcome = { ids: [] as string[], numbers: [] as number[], lost: 0, troubles: [] as string[] };
  const { promise: done, resolve: onDone } = Promise.withResolvers<void>();
  const drain = () => {
    for (let batch = store?.take(100, 1e9) ?? []; batch.length > 0; batch = store?.take(100, 1e9) ?? []) {
      outcome.ids.push(...batch.map(idOf));
      outcome.numbers.push(...batch.map(({ number }) => number));
      store?.settle(batch);
    }
  };
  let store: Awaited<ReturnType<typeof openAdoptedStore>> | undefined;
  store = await openAdoptedStore({
    files,
    clock: systemClock,
    budget: createBudget(1e9, 'drop_newest'),
    bounds: { maxEntries: 100, maxBytes: Infinity },
    folder,
    owner: { node: 'dead', process: 'p' },
    dropped: () => ({}),
    onLost: (_reason, count) => {
      outcome.lost += count;
    },
    onAdopted: () => undefined,
    onReadable: drain,
    onDone,
    onTrouble: (error) => outcome.troubles.push(String((error as NodeJS.ErrnoException).code)),
  });
  drain();
  await done;
  await store.close();
  return outcome;
}

describe('a spool with a damage', () => {
  const dir = mkdtempSync(join(tmpdir(), 'damage-'));
  const original = join(dir, 'original');
  const all = [0, 1, 2].flatMap((window) => [...ids(3, `w${window}-`), `w${window}-large`]);
  const unsent = all.slice(2);

  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  /** A fresh copy of the same spool. */
  async function copy(): Promise<string> {
    const filter = (path: string) => !path.endsWith('.sock');
    if (!existsSync(original)) cpSync((await leaveBehind(tempFolder())).folder, original, { recursive: true, filter });
    const folder = join(tempFolder(), 'copy');
    cpSync(original, folder, { recursive: true });
    return folder;
  }

  test('or without: what was confirmed is not there any more, everything else is', async () => {
    const folder = await copy();
    expect(filesIn(folder)).toEqual(['00000001.events', '00000002.events', '00000003.events', 'checkpoint', 'machine']);
    expect(await inherit(folder)).toMatchObject({ ids: unsent, lost: 0, troubles: [] });
    expect(existsSync(folder)).toBe(false);
  });

  test('of one flipped byte, at every place of every file: no other event is lost, none is another', async () => {
    const folder = await copy();
    for (const file of filesIn(original)) {
      const bytes = readFileSync(join(original, file));
      // Within the large events one place is like another; and the short form goes through the first file and the checkpoint only.
      const isWanted = (place: number) => place < 450 || place > bytes.length - 30 || place % 9973 === 0;
      const step = LONG || !/0000000[23]|machine/.test(file) ? 1 : 23;
      const places = Array.from(bytes.keys()).filter((place) => isWanted(place) && place % step === 0);
      for (const place of places) {
        cpSync(original, folder, { recursive: true });
        const flipped = Buffer.from(bytes);
        flipped[place] = (flipped[place] ?? 0) ^ (1 + (place % 255));
        writeFileSync(join(folder, file), flipped);
        const { ids: found, numbers, lost, troubles } = await inherit(folder);
        const label = `${file} at ${place}`;
        const isSegment = file.endsWith('.events');
        // A checkpoint that is not believed means that what was sent is sent again.
        const expected = file === 'checkpoint' ? all : unsent;
        expect([label, troubles, new Set(found).size]).toEqual([label, [], found.length]);
        expect([label, expected.filter((id) => !found.includes(id)).length]).toEqual([
          label,
          isSegment && lost > 0 && found.length < unsent.length ? 1 : 0,
        ]);
        expect([label, found.filter((id) => !all.includes(id))]).toEqual([label, []]);
        expect([label, numbers]).toEqual([label, found.map((id) => all.indexOf(id) + 1)]);
        expect([label, lost]).toEqual([label, isSegment ? 1 : 0]);
      }
    }
  });

  test.each([
    ['cut off within its last event', (path: string) => truncateSync(path, readFileSync(path).length - 5)],
    ['with zeros at its end, as after a loss of power', (path: string) => appendFileSync(path, Buffer.alloc(5000))],
    ['with half a record at its end', (path: string) => appendFileSync(path, readFileSync(path).subarray(0, 60))],
    ['with noise at its end', (path: string) => appendFileSync(path, Buffer.from('noise '.repeat(100)))],
    ['empty', (path: string) => truncateSync(path, 0)],
    ['gone', (path: string) => rmSync(path)],
  ])('of a last file that is %s gives all the others', async (_name, harm) => {
    const folder = await copy();
    const last = segmentsIn(folder).at(-1) ?? '';
    harm(last);
    const { ids: found, lost } = await inherit(folder);
    expect(found.slice(0, 6)).toEqual(unsent.slice(0, 6));
    expect(new Set(found).size).toBe(found.length);
    expect(lost).toBeLessThanOrEqual(1);
  });

  test('of bad blocks: the events in them are lost, the others are not, and the disk is complained about', async () => {
    const folder = await copy();
    const bad = segmentsIn(folder)[1] ?? '';
    const handles = new Set<number>();
    const files: SpoolFiles = {
      ...nodeFiles,
      async openForReading(path) {
        const file = await nodeFiles.openForReading(path);
        if (path === bad) handles.add(file);
        else handles.delete(file);
        return file;
      },
      read(file, into, bytes, position) {
        // One block within the large event.
        const touches = handles.has(file) && position < 24_576 && position + bytes > 20_480;
        if (touches) return Promise.reject(Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' }));
        return nodeFiles.read(file, into, bytes, position);
      },
    };
    const { ids: found, lost, troubles } = await inherit(folder, files);
    expect(found).toEqual(unsent.filter((id) => id !== 'w1-large'));
    expect([lost, new Set(troubles)]).toEqual([1, new Set(['EIO'])]);
  });

  test('is adopted by a process, which says what is lost and sends the rest', async () => {
    const folder = tempFolder();
    const { server } = await leaveBehind(folder);
    const [first = ''] = segmentsIn(folder);
    const bytes = readFileSync(first);
    bytes[bytes.indexOf('w0-2')] = 0x58;
    writeFileSync(first, bytes);
    server.respond = () => ({ status: 202 });
    const rig = createRig(server.url, { spool: spoolSettings(folder), queue: soon });
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ adopted: 9, sent: 9, waiting: 0 }));
    expect(rig.linesOf('events dropped')).toMatchObject([{ reason: 'spool_unreadable', count: 1 }]);
    // The backend is told, in the name of the process whose event it was.
    const { headers } = server.requests.at(-1) ?? {};
    expect([headers?.['metering-node'], headers?.['metering-dropped']]).toEqual(['dead', 'spool_unreadable=1']);
  });
});

describe('the spool of a living process', () => {
  /** A hundred events on disk, of which memory holds half, and an endpoint that is down. */
  async function half() {
    const dir = tempFolder();
    const endpoint = { isDown: true };
    const server = await serve(() => ({ status: endpoint.isDown ? 503 : 202 }));
    const rig = createRig(server.url, { spool: spoolSettings(dir), queue: { ...soon, maxEntries: 50 } });
    pushAll(rig.delivery, ids(100));
    await until(() => expect(rig.deliveries.snapshot().spooled).toBe(100));
    return { dir, endpoint, rig };
  }

  test.each([
    [
      'one flipped byte',
      (path: string) => {
        const bytes = readFileSync(path);
        bytes[bytes.indexOf('"id":"e60"') + 8] = 0x58;
        writeFileSync(path, bytes);
      },
      1,
    ],
    ['a file that was cut short', (path: string) => truncateSync(path, readFileSync(path).indexOf('"id":"e98"')), 2],
    ['a file that somebody has removed', (path: string) => rmSync(path), 50],
  ])('with %s loses what was there, counts it exactly, and goes on', async (_name, harm, lost) => {
    const { dir, endpoint, rig } = await half();
    harm(segmentsIn(dir)[0] ?? '');
    endpoint.isDown = false;
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 100 - lost, waiting: 0 }));
    expect(rig.deliveries.counters().dropped).toEqual({ spool_unreadable: lost });
    pushAll(rig.delivery, ids(100, 'more'));
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 200 - lost, waiting: 0 }));
    await rig.deliveries.stop(1000);
    expect(filesIn(dir)).toEqual([]);
  });

  test('whose file somebody has removed goes on in another one, with what is in memory', async () => {
    const { dir, endpoint, rig } = await half();
    rmSync(segmentsIn(dir)[0] ?? '');
    endpoint.isDown = false;
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 50, waiting: 0 }));
    endpoint.isDown = true;
    pushAll(rig.delivery, ids(100, 'more'));
    await until(() => expect(idsOnDisk(dir)).toEqual(expect.arrayContaining(ids(100, 'more'))));
    endpoint.isDown = false;
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 150, waiting: 0 }));
    expect(rig.deliveries.counters().dropped).toEqual({ spool_unreadable: 50 });
  });
});
