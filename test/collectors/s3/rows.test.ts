import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { rowsOfCsv } from '../../../collectors/s3/csv-rows.ts';
import { prefixesOf, spanToList } from '../../../collectors/s3/prefixes.ts';
import { MAX_ROW_BYTES, type Row, rowOfAll, rowsOfJson, rowsOfLines } from '../../../collectors/s3/rows.ts';
import { unpacked } from '../../../collectors/s3/unpacking.ts';
import { fc } from '../../support/property.ts';

async function* inChunks(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (let from = 0, index = 0; from < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? bytes.length;
    yield bytes.subarray(from, from + size);
    from += size;
  }
}
async function valuesOf(rows: AsyncIterable<Row>): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const row of rows) values.push(row.kind === 'row' ? row.value : `BROKEN ${row.reason}: ${row.text}`);
  return values;
}
const whole = (text: string) => inChunks(Buffer.from(text), [1_000_000]);
const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

test('values are found wherever the chunks end, in every shape and packing', async () => {
  const packings = [(bytes: Buffer) => bytes, gzipSync, zstdCompressSync];
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.object({
          maxDepth: 2,
          values: [fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean(), fc.constant(null)],
        }),
        { maxLength: 5 },
      ),
      sizes,
      fc.constantFrom(...packings),
      fc.constantFrom('\n', '\r\n', ' ', ''),
      async (values, chunks, pack, between) => {
        const texts = values.map((value) => JSON.stringify(value));
        const wanted = JSON.parse(JSON.stringify(values));
        const read = (text: string) => unpacked(inChunks(pack(Buffer.from(text)), chunks));
        expect(await valuesOf(rowsOfLines(read(texts.join('\n'))))).toEqual(wanted);
        expect(await valuesOf(rowsOfJson(read(texts.join(between)), 'documents'))).toEqual(wanted);
        expect(await valuesOf(rowsOfJson(read(JSON.stringify(values, null, 1)), 'array'))).toEqual(wanted);
        expect(await valuesOf(rowsOfJson(read(`\uFEFF [${texts.join(',')}]\n`), 'either'))).toEqual(wanted);
      },
    ),
    { numRuns: 100 },
  );
});

test('a line that is no JSON, or too long, is broken alone', async () => {
  const long = `"${'x'.repeat(MAX_ROW_BYTES)}"`;
  expect(await valuesOf(rowsOfLines(whole(`{"a":1}\n{"a":\n\n${long}\n12345678901234567890`)))).toEqual([
    { a: 1 },
    'BROKEN the row is no JSON: {"a":',
    `BROKEN the row is longer than ${MAX_ROW_BYTES} bytes: `,
    '12345678901234567890',
  ]);
  expect(await valuesOf(rowsOfJson(whole(`[1, {"a" 2}, ${long}, "]"]`), 'array'))).toEqual([
    1,
    'BROKEN the row is no JSON: {"a" 2}',
    `BROKEN the row is longer than ${MAX_ROW_BYTES} characters: `,
    ']',
  ]);
});

test.each([
  ['[1, 2', 'array', 'the JSON is cut off'],
  ['{"a": "', 'documents', 'the JSON is cut off'],
  ['{"a": 1}', 'array', 'is no JSON array'],
  ['[1] [2]', 'array', 'has more than one JSON array'],
  ['{}}', 'documents', 'is no JSON'],
] as const)('%s is no %s', async (text, shape, reason) => {
  await expect(valuesOf(rowsOfJson(whole(text), shape))).rejects.toThrow(reason);
});

test('a CSV has its header, delimiter, quotes and line ends', async () => {
  const values = await valuesOf(
    rowsOfCsv(inChunks(Buffer.from('\uFEFFid;note\r\n1;"a;b\r\nc ""d"""\r\n2;\r\n3\r\n4;x;y\r\n'), [3])),
  );
  expect(values).toEqual([
    { id: '1', note: 'a;b\r\nc "d"' },
    { id: '2', note: '' },
    { id: '3' },
    'BROKEN the row has more fields than the header: 4,x,y',
  ]);
  await expect(valuesOf(rowsOfCsv(whole('a,b\n1,"open\n')))).rejects.toThrow('is no CSV');
});

test('what is packed and cut off is told apart from its end', async () => {
  const packed = gzipSync(Buffer.from('{"a":1}\n'.repeat(1000)));
  await expect(valuesOf(rowsOfLines(unpacked(inChunks(packed.subarray(0, 40), [7]))))).rejects.toThrow(
    'is cut off or broken',
  );
  const two = Buffer.concat([gzipSync('{"a":1}\n'), gzipSync('{"a":2}\n')]);
  expect(await valuesOf(rowsOfLines(unpacked(inChunks(two, [5]))))).toEqual([{ a: 1 }, { a: 2 }]);
  expect(await valuesOf(rowOfAll(unpacked(whole('x'))))).toEqual(['x']);
});

test('prefixes are those of the hours since, and of the next', () => {
  const at = Date.parse('2026-12-31T23:10:00Z');
  const hours = (pattern: string, lookback: number, listedAtMs?: number) =>
    prefixesOf(pattern, spanToList(at, lookback * 3_600_000, listedAtMs));
  expect(hours('u/{yyyy}/{MM}/{dd}/{HH}/', 2)).toEqual([
    'u/2026/12/31/21/',
    'u/2026/12/31/22/',
    'u/2026/12/31/23/',
    'u/2027/01/01/00/',
  ]);
  // Stopped for three hours: those are looked through as well; a listing of the future is none to go by.
  expect(hours('u/{HH}/', 2, at - 3 * 3_600_000)).toEqual(
    ['18', '19', '20', '21', '22', '23', '00'].map((h) => `u/${h}/`),
  );
  expect(hours('u/{HH}/', 2, at + 9_000_000_000)).toHaveLength(4);
  expect(hours('u/{yyyy}-{MM}/', 1)).toEqual(['u/2026-12/', 'u/2027-01/']);
  expect(hours('plain/', 1)).toEqual(['plain/']);
  const span = { fromMs: Date.parse('2026-11-01T00:00:00Z'), toMs: Date.parse('2026-11-01T02:00:00Z') };
  expect(prefixesOf('u/{dd}{HH}/', span)).toEqual(['u/0100/', 'u/0101/']);
});
