import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NewEvent, UsageStore } from '../../../../backend/metering/usage-store/index.ts';
import {
  createBloomFilter,
  openBloomFilter,
} from '../../../../backend/metering/usage-store/sqlite/dedupe/bloom-filter.ts';
import { hashIdentity } from '../../../../backend/metering/usage-store/sqlite/dedupe/identity-hash.ts';
import { createMemTable } from '../../../../backend/metering/usage-store/sqlite/dedupe/mem-table.ts';
import { fc } from '../../../support/property.ts';
import { testClock } from '../../../support/test-clock.ts';
import { USAGE_ENGINES, type UsagePlace } from '../../../support/usage-engines.ts';

describe.each(USAGE_ENGINES)('$name', (engine) => {
  let place: UsagePlace;
  let store: UsageStore;
  const open = async () => {
    store = await place.open(testClock(), { dedupeMemTableEntries: 1000 });
  };
  beforeEach(async () => {
    place = await engine.makePlace();
    await open();
  });
  afterEach(async () => {
    await store.close();
    await place.remove();
  });

  const event = (id: string, source = 's'): NewEvent => ({
    id,
    source,
    type: 't',
    subject: 'x',
    timeMs: 1,
    data: undefined,
    ingestedAtMs: 1,
  });
  const byId = (id: string) =>
    store.list({
      filters: [{ field: 'id', operator: 'eq', values: [id] }],
      sort: { field: 'time', direction: 'asc' },
      size: 10,
    });

  test('every event is known again, in memory, in segments on disk and after a restart', async () => {
    const ids = Array.from({ length: 10_000 }, () => crypto.randomUUID());
    for (let start = 0; start < ids.length; start += 250) {
      expect(await store.append(ids.slice(start, start + 250).map((id) => event(id)))).toEqual({
        stored: 250,
        duplicates: 0,
      });
    }
    expect(await store.append(ids.map((id) => event(id)))).toEqual({ stored: 0, duplicates: 10_000 });
    await store.close();
    await open();
    expect(await store.append(ids.map((id) => event(id)))).toEqual({ stored: 0, duplicates: 10_000 });
    expect(await store.append(ids.map((id) => event(id, 'other')))).toEqual({ stored: 10_000, duplicates: 0 });
    expect(await store.totals()).toEqual({ stored: 20_000, duplicates: 20_000 });
  });

  test('an id is found without a search, of whatever source, young and old', async () => {
    for (let start = 0; start < 5000; start += 500) {
      await store.append(Array.from({ length: 500 }, (_, index) => event(`id-${start + index}`)));
    }
    await store.append([event('id-7', 'second'), event('id-4999', 'second')]);
    expect((await byId('id-7')).map((found) => found.source)).toEqual(['s', 'second']);
    expect((await byId('id-4999')).map((found) => found.source)).toEqual(['s', 'second']);
    expect(await byId('id-5000')).toEqual([]);
  });

  test('requests that wait for the disk together keep their own results', async () => {
    const appends = Array.from({ length: 200 }, (_, index) =>
      store.append([event(`${index % 50}`), event(`own-${index}`)]),
    );
    const results = await Promise.all(appends);
    expect(results.reduce((sum, result) => sum + result.stored, 0)).toBe(250);
    for (const result of results) expect(result.stored + result.duplicates).toBe(2);
    expect(await store.totals()).toEqual({ stored: 250, duplicates: 150 });
  });

  test('a full queue refuses at once, and takes again when it has drained', async () => {
    await store.close();
    store = await place.open(testClock(), { maxQueuedEvents: 100 });
    const batch = (name: string, size: number) => Array.from({ length: size }, (_, index) => event(`${name}-${index}`));
    const large = store.append(batch('large', 5000));
    await expect(store.append(batch('more', 1))).rejects.toMatchObject({ kind: 'unavailable', retryAfterSeconds: 1 });
    expect(await large).toEqual({ stored: 5000, duplicates: 0 });
    expect(await store.append(batch('more', 1))).toEqual({ stored: 1, duplicates: 0 });
  });
});

test('hashes of similar identities are spread', () => {
  const seen = new Set<number>();
  const out = { high: 0, low: 0 };
  const lowHalves = new Uint32Array(256);
  for (let index = 0; index < 100_000; index++) {
    hashIdentity(`source-${index % 7}`, `request-${index}`, 42, out);
    seen.add(out.high * 2 ** 21 + (out.low & 0x1fffff));
    const low = out.low & 255;
    lowHalves[low] = (lowHalves[low] as number) + 1;
  }
  expect(seen.size).toBe(100_000);
  // 390 each would be even; the bounds are ten standard deviations away.
  expect(Math.min(...lowHalves)).toBeGreaterThan(190);
  expect(Math.max(...lowHalves)).toBeLessThan(590);
});

test('the border between source and id counts', () => {
  const hash = (source: string, id: string) => {
    const out = { high: 0, low: 0 };
    hashIdentity(source, id, 1, out);
    return `${out.high}/${out.low}`;
  };
  expect(hash('a-b', 'c')).not.toBe(hash('a', 'b-c'));
  expect(hash('ab', '')).not.toBe(hash('', 'ab'));
  expect(hash('a', 'b')).toBe(hash('a', 'b'));
});

test('property: a table and a filter never forget', () => {
  const entry = fc.record({ high: fc.nat(0xffffffff), low: fc.nat(0xffffffff) });
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 3000 }), (entries) => {
      const table = createMemTable(100);
      const filter = createBloomFilter(entries.length);
      for (const [index, hash] of entries.entries()) {
        table.add(hash, 100 + index);
        filter.add(hash.high, hash.low);
      }
      const reopened = openBloomFilter(filter.bytes);
      for (const [index, hash] of entries.entries()) {
        expect(table.has(hash, (row) => row === 100 + index)).toBe(true);
        expect(reopened.mayHave(hash)).toBe(true);
      }
      const sorted = table.sorted(4);
      expect(sorted.entries.length).toBe(entries.length * 3);
      for (let bucket = 0; bucket < 16; bucket++) {
        for (let at = sorted.bucketStarts[bucket] as number; at < (sorted.bucketStarts[bucket + 1] as number); at++) {
          expect((sorted.entries[at * 3] as number) >>> 28).toBe(bucket);
        }
      }
    }),
    { numRuns: 30 },
  );
});

test('the filter says "perhaps" for nothing about once in a thousand', () => {
  const filter = createBloomFilter(100_000);
  const out = { high: 0, low: 0 };
  for (let index = 0; index < 100_000; index++) {
    hashIdentity('s', `in-${index}`, 1, out);
    filter.add(out.high, out.low);
  }
  let perhaps = 0;
  for (let index = 0; index < 100_000; index++) {
    hashIdentity('s', `out-${index}`, 1, out);
    if (filter.mayHave(out)) perhaps++;
  }
  expect(perhaps).toBeLessThan(500);
});
