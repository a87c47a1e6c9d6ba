import { describe, expect, test } from 'vitest';
import { createFrameReader, framesOf, MAX_FRAME_BYTES } from '../../../plugin/host/frames.ts';
import { fc } from '../../support/property.ts';

/** What a reader makes of chunks: payloads as hex, refused lengths as numbers. */
function read(chunks: readonly Buffer[], maxBytes?: number): (string | number)[] {
  const seen: (string | number)[] = [];
  const take = createFrameReader(
    { frame: (payload) => seen.push(payload.toString('hex')), refused: (bytes) => seen.push(bytes) },
    maxBytes,
  );
  for (const chunk of chunks) take(chunk);
  return seen;
}

const PAYLOADS = ['', '00', 'ab'.repeat(3), '', 'cd'.repeat(300), 'ef'].map((hex) => Buffer.from(hex, 'hex'));
const STREAM = framesOf(...PAYLOADS);
const EXPECTED = PAYLOADS.map((payload) => payload.toString('hex'));

describe('a stream of frames', () => {
  test('has a little-endian length before each payload', () => {
    expect(framesOf(Buffer.from('abc'), Buffer.alloc(0)).toString('hex')).toBe('0300000061626300000000');
  });

  test('may come in one chunk', () => {
    expect(read([STREAM])).toEqual(EXPECTED);
  });

  test('may be split at any byte', () => {
    for (let position = 0; position <= STREAM.length; position++) {
      expect(read([STREAM.subarray(0, position), STREAM.subarray(position)])).toEqual(EXPECTED);
    }
  });

  test('may be split anywhere, any number of times', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 });
    const cuts = fc.array(fc.nat(500), { maxLength: 20 });
    fc.assert(
      fc.property(payloads, cuts, (given, positions) => {
        const stream = framesOf(...given);
        const edges = [0, ...positions.map((cut) => Math.min(cut, stream.length)), stream.length].sort((a, b) => a - b);
        const chunks = edges.slice(1).map((edge, index) => stream.subarray(edges[index], edge));
        expect(read(chunks)).toEqual(given.map((payload) => Buffer.from(payload).toString('hex')));
      }),
    );
  });

  test('goes on behind a frame that is too large, whose bytes are not kept', () => {
    const stream = framesOf(Buffer.from('aa', 'hex'), Buffer.alloc(11), Buffer.from('bb', 'hex'), Buffer.alloc(10));
    const expected = ['aa', 11, 'bb', '00'.repeat(10)];
    for (let position = 0; position <= stream.length; position++) {
      expect(read([stream.subarray(0, position), stream.subarray(position)], 10)).toEqual(expected);
    }
  });

  test('refuses a length as soon as it is announced', () => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(MAX_FRAME_BYTES + 1);
    expect(read([length])).toEqual([MAX_FRAME_BYTES + 1]);
    length.writeUInt32LE(MAX_FRAME_BYTES);
    expect(read([length])).toEqual([]);
  });
});
