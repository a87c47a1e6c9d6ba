import { expect, test } from 'vitest';
import { openSpool } from '../../../collectors/core/spool.ts';
import { systemClock } from '../../../delivery/clock.ts';
import { bucketOfEachTest, line } from '../../support/collectors/bucket.ts';
import { startCollect } from '../../support/collectors/running.ts';

const bucket = bucketOfEachTest();

const HOUR_MS = 3_600_000;

/** What a store, or who may write into it, can do to a collector. */
test('keys of any characters are read, once', async () => {
  const keys = [
    'عربي/يوم.jsonl',
    'a\nb.jsonl',
    'tab\tand\u0001.jsonl',
    '%41+ &<>"\'.jsonl',
    ' .jsonl',
    '\u{1f600}.jsonl',
    '\uffee.jsonl',
  ];
  bucket.source.pageSize = 2;
  for (const [index, key] of keys.entries()) bucket.source.put(key, line(index));
  await bucket.once();
  await bucket.once();
  expect(bucket.server.stored).toHaveLength(keys.length);
  expect(bucket.server.requests.flatMap(({ ids }) => ids)).toHaveLength(keys.length);
});

test('an object without an ETag is said to be unread, and the others are read', async () => {
  bucket.source.put('a.jsonl', line(1));
  bucket.source.put('b.jsonl', line(2));
  bucket.source.changeListing = (xml) => xml.replace(/<ETag>.*?<\/ETag>/, '');
  const { logged } = await bucket.once();
  expect(bucket.server.stored).toHaveLength(1);
  expect(logged).toContainEqual(
    expect.objectContaining({ key: 'a.jsonl', cause: expect.stringContaining('has no ETag in the listing') }),
  );
});

test.each([
  [
    'goes on at the same place for ever',
    (xml: string) =>
      xml.replace(
        '<IsTruncated>false</IsTruncated>',
        '<IsTruncated>true</IsTruncated><NextContinuationToken>b</NextContinuationToken>',
      ),
  ],
  ['goes on nowhere', (xml: string) => xml.replace('<IsTruncated>false', '<IsTruncated>true')],
  ['is encoded in another way than it says', (xml: string) => xml.replace('<Key>a', '<Key>%zz')],
  ['is no XML', () => 'Hello'],
])('a listing that %s is an error, and not an end', async (_what, change) => {
  bucket.source.put('a.jsonl', line(1));
  bucket.source.changeListing = change;
  const collect = startCollect(bucket.configOf(), ['--once']);
  await collect.line('the bucket cannot be listed');
  bucket.source.changeListing = (xml) => xml;
  expect(await collect.ended).toBe(0);
  expect(bucket.server.stored).toHaveLength(1);
});

test.each([undefined, 5])(
  'an object that hangs (behind %s bytes) keeps its place alone; what comes later is read',
  async (behind) => {
    bucket.source.hang('a.jsonl', behind);
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) bucket.source.put(`${key}.jsonl`, line(key.charCodeAt(0)));
    const collect = startCollect(bucket.configOf());
    await expect.poll(() => bucket.server.stored.length, { timeout: 30_000 }).toBe(5);
    bucket.source.put('g.jsonl', line(7));
    await expect.poll(() => bucket.server.stored.length, { timeout: 30_000 }).toBe(6);
    expect(await collect.stop()).toBe(0);
  },
);

test('what is gone is forgotten after a while, and not at the first listing that leaves it out', async () => {
  const states = () => {
    const spool = openSpool(`${bucket.folder.path}/spool.sqlite`, 1024 ** 3, systemClock);
    const keys = spool
      .part('bucket')
      .cursor.list('o/', '', 100)
      .map(({ key }) => key);
    spool.close();
    return keys;
  };
  const config = bucket.configOf(undefined, 'lookback: 1h');
  bucket.source.timeMs = Date.now();
  bucket.source.pageSize = 2;
  for (const key of ['a', 'b', 'c', 'd', 'e']) bucket.source.put(`${key}.jsonl`, line(key.charCodeAt(0)));
  await bucket.once(config);
  expect(states()).toHaveLength(5);
  bucket.source.changeListing = (xml) => xml.replaceAll(/<Contents>.*?<\/Contents>/g, '');
  await bucket.once(config);
  bucket.source.changeListing = (xml) => xml;
  for (const key of ['a', 'c', 'e']) bucket.source.remove(`${key}.jsonl`);
  bucket.source.timeMs += HOUR_MS / 2;
  await bucket.once(config);
  expect(states()).toHaveLength(5);
  bucket.source.timeMs += HOUR_MS;
  await bucket.once(config);
  expect(states()).toEqual(['o/b.jsonl', 'o/d.jsonl']);
  expect(bucket.server.requests.flatMap(({ ids }) => ids)).toHaveLength(5);
});

test('the hours since the last listing are listed, by the time of the store, however long that is', async () => {
  const config = bucket.configOf(undefined, 'lookback: 1h\nprefix: "{yyyy}/{MM}/{dd}/{HH}/"');
  bucket.source.timeMs = Date.parse('2031-05-01T10:30:00Z');
  bucket.source.put('2031/05/01/09/a.jsonl', line(1));
  await bucket.once(config);
  bucket.source.put('2031/05/02/07/b.jsonl', line(2));
  bucket.source.put('2031/05/04/23/c.jsonl', line(3));
  bucket.source.timeMs = Date.parse('2031-05-06T10:30:00Z');
  await bucket.once(config);
  expect(bucket.server.stored).toHaveLength(3);
  bucket.source.put('2031/05/02/07/late.jsonl', line(4));
  const listings = bucket.source.requests.length;
  await bucket.once(config);
  // Behind what was looked through completely only `lookback` is left, and the next hour.
  expect(bucket.source.requests.slice(listings).filter((request) => request.includes('prefix='))).toHaveLength(3);
  expect(bucket.server.stored).toHaveLength(3);
});

test('a row that no mapping can bear is a dead letter, and the rows around it count', async () => {
  const deep = `{"customer":"deep","bytes":${'['.repeat(50_000)}${']'.repeat(50_000)}}\n`;
  const long = `{"customer":"long","bytes":"${'x'.repeat(900_000)}"}\n`;
  const list = `{"customer":"list","bytes":[${Array.from({ length: 90_000 }, (_, index) => index).join()}]}\n`;
  const own =
    '{"customer":"own","bytes":1,"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}\n';
  bucket.source.put('a.jsonl', [line(1), deep, long, list, own, line(2)].join(''));
  await bucket.once();
  expect(bucket.server.stored).toHaveLength(3);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  const listed = startCollect(bucket.configOf(), ['--dead-letters']);
  await listed.ended;
  expect(listed.printed.map((text) => JSON.parse(text).reason).toSorted()).toEqual([
    'the event is larger than 262144 bytes',
    'the event is larger than 262144 bytes',
    'the event is nested deeper than 64',
  ]);
});

test('no secret is in the log, whatever the store answers', async () => {
  bucket.source.put('a.jsonl', line(1));
  bucket.source.deny('a.jsonl', true);
  bucket.source.refusal = 'SignatureDoesNotMatch of s3cret and t0ken';
  const secrets = bucket.configOf().replace('secret: s3cret', 'secret: s3cret, token: t0ken');
  const collect = startCollect(secrets, ['--once']);
  await collect.ended;
  expect(JSON.stringify(collect.logged)).toContain('SignatureDoesNotMatch of [secret] and [secret]');
  expect(JSON.stringify([collect.logged, collect.printed, collect.said])).not.toMatch(/s3cret|t0ken/);
});
