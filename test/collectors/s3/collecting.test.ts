import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bucketOfEachTest, line } from '../../support/collectors/bucket.ts';
import { startCollectProcess } from '../../support/collectors/collect-process.ts';
import { startCollect } from '../../support/collectors/running.ts';

const bucket = bucketOfEachTest();

// Objects as a radosgw gave them back, in every format.
const OBJECTS = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/collectors/s3-objects.json'), 'utf8'),
) as Record<string, { base64: string }>;
const FOLDER = 'usage/2026/11/30/01/';

const object = (name: string) => Buffer.from(OBJECTS[FOLDER + name]?.base64 ?? '', 'base64');
const lines = (from: number, count: number) => Array.from({ length: count }, (_, index) => line(from + index)).join('');

test('every format as a real store gives it is read, each row once, however often', async () => {
  // The truncated one is of its own.
  for (const key of Object.keys(OBJECTS).filter((name) => !name.includes('truncated')))
    bucket.source.put(key, object(key.slice(FOLDER.length)));
  bucket.source.put(FOLDER, '');
  await bucket.once();
  const first = bucket.server.stored.length;
  const perObject = Object.keys(OBJECTS).length;
  expect(perObject).toBe(13);
  expect(first).toBeGreaterThan(100);
  await bucket.once();
  expect(bucket.server.stored.length).toBe(first);
  // A collector that has forgotten everything counts nothing twice either.
  bucket.forgetEverything();
  await bucket.once();
  expect(bucket.server.stored.length).toBe(first);
  expect(bucket.server.requests.reduce((sum, { ids }) => sum + ids.length, 0)).toBe(2 * first);
});

test.each([
  ['part-0001.jsonl', 12],
  ['part-0002.json', 12],
  ['part-0003.jsonl.gz', 12],
  ['part-0004.jsonl', 12],
  ['part-0005.csv', 12],
  ['part-0006.csv', 2],
  ['part-0007.parquet', 12],
  ['part-0008-no-newline-at-end.jsonl', 12],
  ['part-0012-blank-lines-crlf.jsonl', 12],
  ['part-0013-two-members.jsonl.gz', 12],
])('%s has %i rows', async (name, count) => {
  bucket.source.put(name, object(name));
  await bucket.once();
  expect(bucket.server.stored).toHaveLength(count);
});

test('late keys, in any order and page, and new versions are found; the same again is not', async () => {
  bucket.source.pageSize = 2;
  for (const key of ['b', 'd', 'f', 'h', 'j']) bucket.source.put(key, line(key.charCodeAt(0)));
  await bucket.once();
  expect(bucket.server.stored).toHaveLength(5);
  bucket.source.put('a', line(1));
  bucket.source.put('c', line(2));
  bucket.source.put('d', line('d'.charCodeAt(0)));
  bucket.source.put('f', lines(600, 2));
  await bucket.once();
  // Two late ones, and both rows of the new version.
  expect(bucket.server.stored).toHaveLength(9);
  await bucket.once(bucket.configOf(undefined, 'on_overwrite: refuse'));
  bucket.source.put('b', lines(700, 3));
  const refused = await bucket.once(bucket.configOf(undefined, 'on_overwrite: refuse'));
  expect(bucket.server.stored).toHaveLength(9);
  expect(refused.logged.map(({ msg }) => msg)).toContain('an object was overwritten, and is not read again');
});

test('an object that cannot be read holds up nobody, and is read when it can be', async () => {
  bucket.source.put('a-denied.jsonl', lines(1, 3));
  bucket.source.deny('a-denied.jsonl', true);
  bucket.source.put('b-cut.jsonl.gz', object('part-0010-truncated.jsonl.gz'));
  bucket.source.put('c-no.parquet', 'PAR1 or not');
  bucket.source.put('d-good.jsonl', lines(10, 2));
  const collect = await bucket.once();
  const kept = bucket.server.stored.length;
  expect(kept).toBeGreaterThanOrEqual(2);
  const said = collect.logged.filter(({ msg }) => String(msg).startsWith('an object cannot be read'));
  expect(said.length).toBeGreaterThan(0);
  bucket.source.deny('a-denied.jsonl', false);
  await bucket.once();
  expect(bucket.server.stored).toHaveLength(kept + 3);
});

test('a broken row is a dead letter, and the others count', async () => {
  bucket.source.put('bad.jsonl', object('part-0009-bad-line.jsonl'));
  await bucket.once();
  const total = bucket.server.stored.length;
  const { printed } = await bucket.once();
  expect(printed).toEqual([]);
  const listed = startCollect(bucket.configOf(), ['--dead-letters']);
  await listed.ended;
  expect(listed.printed.map((text) => JSON.parse(text))).toMatchObject([
    { kind: 'unmapped', reason: 'the row is no JSON' },
  ]);
  expect(total).toBe(11);
});

test('a bucket that is away is waited for', async () => {
  bucket.source.isDown = true;
  bucket.source.put('a.jsonl', lines(1, 3));
  const collect = startCollect(bucket.configOf(), ['--once']);
  await collect.line('the bucket cannot be listed');
  bucket.source.isDown = false;
  expect(await collect.ended).toBe(0);
  expect(bucket.server.stored).toHaveLength(3);
});

test('a dry run prints events with their ids, and keeps and sends nothing', async () => {
  bucket.source.put('a.jsonl', lines(1, 2));
  const dry = startCollect(bucket.configOf(), ['--dry-run', '--once']);
  expect(await dry.ended).toBe(0);
  const ids = dry.printed.map((text) => JSON.parse(text).id);
  expect(bucket.server.requests).toEqual([]);
  await bucket.once();
  expect(bucket.server.stored.toSorted()).toEqual(ids.toSorted());
});

test('a part of the past is read once more for a backend that has lost it, and only that part', async () => {
  const config = bucket.configOf(undefined, 'prefix: "{yyyy}/{MM}/{dd}/{HH}/"\nlookback: 1h');
  bucket.source.timeMs = Date.parse('2031-05-01T10:30:00Z');
  for (const hour of ['09', '10']) bucket.source.put(`2031/05/01/${hour}/a.jsonl`, lines(Number(hour) * 100, 3));
  await bucket.once(config);
  expect(bucket.server.stored).toHaveLength(6);
  const lost = bucket.server.stored.splice(0);
  await bucket.anotherEndpoint();
  const later = config.replace(/url: "[^"]*", batching/, `url: "${bucket.server.url}", batching`);
  bucket.source.timeMs = Date.parse('2031-06-01T10:30:00Z');
  const backfill = async (span: string) => {
    const collect = startCollect(later, ['--backfill', span]);
    return { code: await collect.ended, said: collect.said.join() };
  };
  expect(await backfill('2031-05-01T10:00:00Z..2031-05-01T11:00:00Z')).toEqual({ code: 0, said: '' });
  expect(bucket.server.stored).toHaveLength(3);
  expect(await backfill('2031-05-01..2031-05-02')).toEqual({ code: 0, said: '' });
  expect(bucket.server.stored.toSorted()).toEqual(lost.toSorted());
  for (const span of ['2031-05-02..2031-05-01', 'yesterday', '2031-05-01..', '2031-13-01..2031-14-01']) {
    expect(await backfill(span)).toMatchObject({ code: 2, said: expect.stringContaining('--backfill must be') });
  }
  bucket.source.deny('2031/05/01/09/a.jsonl', true);
  expect(await backfill('2031-05-01..2031-05-02')).toMatchObject({
    code: 1,
    said: expect.stringContaining('1 objects could not be read'),
  });
});

test('dead letters are brought back: refused events as they were, others by the mapping of today', async () => {
  bucket.source.put('a.jsonl', `${line(1)}{"bytes":2}\nno JSON\n${line(3)}`);
  bucket.server.answer = () => ({ status: 400 });
  await bucket.once();
  expect(bucket.server.stored).toEqual([]);
  const ids = [...new Set(bucket.server.requests.flatMap((request) => request.ids))];
  bucket.server.answer = () => ({ status: 204 });
  const said = async (mapping?: string) => {
    const collect = startCollect(bucket.configOf(mapping), ['--dead-letters', '--resend']);
    expect(await collect.ended, collect.said.join()).toBe(0);
    await bucket.once();
    return collect.printed.join('');
  };
  expect(await said()).toBe('bucket: 2 events wait again, 2 dead letters are left\n');
  expect(bucket.server.stored.toSorted()).toEqual(ids.toSorted());
  // The row without a customer has one by this mapping, and the id of its place.
  const mended =
    '{"type": "t", "source": "s3", "subject": customer ? customer : "nobody", "time": "2026-11-30T01:00:00Z", "data": {"bytes": bytes}}';
  expect(await said(mended)).toBe('bucket: 1 events wait again, 1 dead letters are left\n');
  expect(bucket.server.stored).toHaveLength(3);
  expect(await said(mended)).toBe('bucket: 0 events wait again, 1 dead letters are left\n');
  bucket.forgetEverything();
  await bucket.once(bucket.configOf(mended));
  expect(bucket.server.stored).toHaveLength(3);
});

const KILLS = process.env['LONG'] === '1' ? 200 : 3;
test(`${KILLS} kills while objects are read, put, overwritten and away: each row of each version is there, once`, async () => {
  let rows = 0;
  let number = 0;
  const put = (key: string, count: number) => {
    bucket.source.put(key, lines(++number * 100_000, count));
    rows += count;
  };
  put('large.jsonl', 20_000);
  for (let kill = 0; kill < KILLS; kill++) {
    const collector = startCollectProcess(bucket.folder.path, bucket.configOf());
    await collector.line('collecting');
    put(`k${number % 7}-${number}.jsonl`, 1500);
    bucket.server.answer = () => ({ status: kill % 2 === 0 ? 503 : 204 });
    bucket.source.isDown = kill % 3 === 2;
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 1500));
    await collector.end('SIGKILL');
  }
  bucket.source.isDown = false;
  bucket.server.answer = () => ({ status: 204 });
  await bucket.once();
  expect(bucket.server.stored).toHaveLength(rows);
});
