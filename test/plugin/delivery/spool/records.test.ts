import { describe, expect, test } from 'vitest';
import {
  findRecord,
  RECORD_OVERHEAD_BYTES,
  type SpoolRecord,
  writeRecord,
} from '../../../../plugin/delivery/spool/record.ts';
import { createTexts } from '../../../../plugin/delivery/texts.ts';
import { fc } from '../../../support/property.ts';

const record: fc.Arbitrary<SpoolRecord> = fc.record({
  number: fc.integer({ min: 1, max: 2 ** 47 }),
  atEpochMs: fc.integer({ min: 0, max: 2 ** 47 }),
  json: fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => JSON.stringify({ id: text })),
});

function encode(records: readonly SpoolRecord[]): { bytes: Buffer; starts: number[] } {
  const size = records.reduce((sum, { json }) => sum + RECORD_OVERHEAD_BYTES + Buffer.byteLength(json), 0);
  const bytes = Buffer.alloc(size);
  const starts: number[] = [];
  const texts = createTexts();
  let at = 0;
  for (const { number, atEpochMs, json } of records) {
    starts.push(at);
    at = writeRecord(bytes, at, number, atEpochMs, texts.add(json, Buffer.byteLength(json)));
  }
  return { bytes, starts };
}

/** Everything that a reader finds in the bytes of a whole file. */
function readAll(bytes: Buffer): { records: SpoolRecord[]; damaged: number } {
  const records: SpoolRecord[] = [];
  let damaged = 0;
  for (let at = 0; at < bytes.length; ) {
    const finding = findRecord(bytes, at, true);
    if (finding.kind === 'incomplete') throw new Error('all bytes are there');
    expect(finding.end).toBeGreaterThan(at);
    if (finding.kind === 'record') records.push(finding.record);
    else damaged++;
    at = finding.end;
  }
  return { records, damaged };
}

describe('records', () => {
  test('come back as they were written', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), (records) => {
        expect(readAll(encode(records).bytes)).toEqual({ records, damaged: 0 });
      }),
    );
  });

  test('a flipped bit costs the record that it is in, wherever it is', () => {
    const flips = fc.tuple(fc.array(record, { minLength: 1, maxLength: 6 }), fc.nat(), fc.integer({ min: 0, max: 7 }));
    fc.assert(
      fc.property(flips, ([records, place, bit]) => {
        const { bytes, starts } = encode(records);
        const at = place % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        const hit = starts.findLastIndex((start) => start <= at);
        expect(readAll(bytes)).toEqual({ records: records.toSpliced(hit, 1), damaged: 1 });
      }),
      { numRuns: 1000 },
    );
  });

  test('a file that was cut off anywhere, or ends in zeros, has all records before that place', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 6 }), fc.nat(), fc.nat(100), (records, place, zeros) => {
        const { bytes, starts } = encode(records);
        const end = place % bytes.length;
        const whole = [...starts.slice(1), bytes.length].filter((recordEnd) => recordEnd <= end).length;
        const cut = Buffer.concat([bytes.subarray(0, end), Buffer.alloc(zeros)]);
        const found = readAll(cut);
        // Zeros in place of zeros are what was there.
        expect(found.records.slice(0, whole)).toEqual(records.slice(0, whole));
        expect(found.records.length).toBeLessThanOrEqual(whole + 1);
      }),
    );
  });

  test('bytes of anything are not mistaken for records', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(readAll(Buffer.from(bytes)).records).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('what is not there yet is asked for: the head first, then as much as its length says', () => {
    const { bytes } = encode([{ number: 1, atEpochMs: 2, json: '{"id":"a"}' }]);
    expect(findRecord(bytes.subarray(0, 10), 0, false)).toEqual({ kind: 'incomplete', bytes: RECORD_OVERHEAD_BYTES });
    expect(findRecord(bytes.subarray(0, 30), 0, false)).toEqual({ kind: 'incomplete', bytes: bytes.length });
    // A length that nobody has written is not believed.
    bytes.writeUInt32LE(0xffff_ffff, 4);
    expect(findRecord(bytes, 0, false)).toMatchObject({ kind: 'damage', hasMark: true });
  });
});
