import { zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { bucketOfEachTest, line } from '../../support/collectors/bucket.ts';

const bucket = bucketOfEachTest();

const PLAIN = 0;
const DICTIONARY = 8;
const UNCOMPRESSED = 0;
const ZSTD = 6;

/** A page as a file may have it, whatever is true of it. */
interface Page {
  readonly says: number;
  readonly encoding: number;
  readonly codec?: number;
  readonly bytes: Buffer;
  readonly unpacked?: number;
}

/** Two numbers, as a writer would write them; then what a page of some bytes can ask for. */
const NUMBERS = Buffer.from([7, 0, 0, 0, 8, 0, 0, 0]);
const HOSTILE: readonly (readonly [string, Page, string])[] = [
  [
    'says that it has two thousand million values',
    { says: 2 ** 31 - 1, encoding: DICTIONARY, bytes: Buffer.from([0, 0]) },
    'says it has 2147483647 values',
  ],
  [
    'repeats a value a thousand million times',
    { says: 2, encoding: DICTIONARY, bytes: Buffer.concat([Buffer.from([1]), varint(2 ** 31), Buffer.from([1])]) },
    'needs more than',
  ],
  [
    'unpacks to more than it says',
    { says: 2, encoding: PLAIN, codec: ZSTD, bytes: zstdCompressSync(Buffer.alloc(200 * 1024 * 1024)), unpacked: 8 },
    'is no Parquet',
  ],
  [
    'is longer than its file',
    { says: 2, encoding: PLAIN, bytes: Buffer.alloc(0), unpacked: 2 ** 30 },
    'a page is longer than what it stands in',
  ],
];

test.each(HOSTILE)(
  'a page that %s takes no memory from the others, and its object says why',
  async (_name, page, cause) => {
    bucket.source.put('a.parquet', fileOf(page));
    bucket.source.put('b.parquet', fileOf({ says: 2, encoding: PLAIN, bytes: NUMBERS }));
    bucket.source.put('c.jsonl', line(1));
    const { logged } = await bucket.once();
    expect(bucket.server.stored).toHaveLength(1);
    expect(logged).toContainEqual(expect.objectContaining({ key: 'a.parquet', cause: expect.stringContaining(cause) }));
    // The two rows of the fine one have no subject, and so are dead letters: they were read.
    expect(logged).toContainEqual(expect.objectContaining({ reason: 'the event has no subject', count: 2 }));
  },
);

/** A Parquet file with one column of one page. */
function fileOf({ says, encoding, codec = UNCOMPRESSED, bytes, unpacked = bytes.length }: Page): Buffer {
  const packed = codec === UNCOMPRESSED ? unpacked : bytes.length;
  const header = struct([1, 0], [2, unpacked], [3, packed], [5, struct([1, says], [2, encoding], [3, 3], [4, 3])]);
  const length = BigInt(header.length + bytes.length);
  const column = struct(
    [1, 1],
    [2, [encoding]],
    [3, ['bytes']],
    [4, codec],
    [5, 2n],
    [6, length],
    [7, length],
    [9, 4n],
  );
  const schema = [struct([4, 'schema'], [5, 1]), struct([1, 1], [3, 0], [4, 'bytes'])];
  const group = struct([1, [struct([2, 4n], [3, column])]], [2, length], [3, 2n]);
  const footer = struct([1, 2], [2, schema], [3, 2n], [4, [group]]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(footer.length);
  return Buffer.concat([Buffer.from('PAR1'), header, bytes, footer, size, Buffer.from('PAR1')]);
}

type Value = number | bigint | string | Buffer | readonly Value[];

/** A structure of Thrift's compact protocol: numbers are of 32 bits, bigints of 64, buffers are structures. */
function struct(...fields: readonly (readonly [number, Value])[]): Buffer {
  let last = 0;
  const parts = fields.map(([id, value]) => {
    const head = Buffer.from([((id - last) << 4) | typeOf(value)]);
    last = id;
    return Buffer.concat([head, written(value)]);
  });
  return Buffer.concat([...parts, Buffer.from([0])]);
}

function typeOf(value: Value): number {
  if (typeof value === 'number') return 5;
  if (typeof value === 'bigint') return 6;
  if (typeof value === 'string') return 8;
  return Buffer.isBuffer(value) ? 12 : 9;
}

function written(value: Value): Buffer {
  if (typeof value === 'number' || typeof value === 'bigint') return varint(2 * Number(value));
  if (typeof value === 'string') return Buffer.concat([varint(value.length), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return value;
  const items = value as readonly Value[];
  return Buffer.concat([Buffer.from([(items.length << 4) | typeOf(items[0] ?? 0)]), ...items.map(written)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}
