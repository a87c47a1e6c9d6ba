import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  type RowGroup,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { plain, sizeOf } from './parquet-values.ts';
import { brokenRow, MAX_ROW_BYTES, ObjectUnreadable, type Row } from './rows.ts';

/** Reads a part of the object; both in bytes. */
export type ReadRange = (start: number, end: number) => Promise<Buffer>;

/** So many rows are in memory at a time, beside the pages that they stand in. */
const ROWS_AT_ONCE = 5000;
/** Of a row group that has no index of its pages all is kept while its rows are read: it would be transferred for each slice. */
const MAX_GROUP_BYTES = 64 * 1024 * 1024;
/** What pages may unpack to for one slice of rows; some bytes can be made to unpack to gigabytes. */
const MAX_UNPACKED_BYTES = 128 * 1024 * 1024;

/** Row groups are kept in memory: of all objects that are read in this process, one Parquet file at a time. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * The rows of a Parquet file, read by ranges. 64-bit integers beyond fifteen digits and decimals are texts, instants RFC 3339,
 * bytes base64.
 * @param from rows that are known already
 * @throws ObjectUnreadable when it is no Parquet, or asks for more memory than there is
 */
export async function* rowsOfParquet(read: ReadRange, byteLength: number, from: number): AsyncGenerator<Row> {
  const before = turn;
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  turn = over;
  try {
    await before;
    yield* rowsInTurn(read, byteLength, from);
  } finally {
    end();
  }
}

async function* rowsInTurn(read: ReadRange, byteLength: number, from: number): AsyncGenerator<Row> {
  const file = openFile(read, byteLength);
  const metadata = await asParquet(() => parquetMetadataAsync(file));
  let groupStart = 0;
  for (const group of metadata.row_groups) {
    const count = countOf(group.num_rows);
    if (groupStart + count > from) {
      yield* rowsOfGroup(file, metadata, group, groupStart, Math.max(0, from - groupStart));
    }
    groupStart += count;
  }
}

async function* rowsOfGroup(
  file: AsyncBuffer,
  metadata: FileMetaData,
  group: RowGroup,
  groupStart: number,
  from: number,
): AsyncGenerator<Row> {
  const count = countOf(group.num_rows);
  const isIndexed = group.columns.every(({ offset_index_offset: offset }) => offset !== undefined);
  const source = isIndexed ? file : await asParquet(() => inMemory(file, group));
  for (let start = from; start < count; start += ROWS_AT_ONCE) {
    const end = Math.min(count, start + ROWS_AT_ONCE);
    const rows = await asParquet(() =>
      parquetReadObjects({
        file: source,
        metadata,
        compressors: boundedCompressors(),
        rowStart: groupStart + start,
        rowEnd: groupStart + end,
        useOffsetIndex: true,
      }),
    );
    for (const row of rows) yield rowOf(row);
  }
}

function rowOf(row: Record<string, unknown>): Row {
  const values = Object.values(row);
  // What is empty is null. A file that has fewer values than it says would give rows without end.
  if (values.every((value) => value === undefined)) throw new ObjectUnreadable('has fewer rows than it says');
  const size = sizeOf(row, MAX_ROW_BYTES);
  if (size > MAX_ROW_BYTES) return brokenRow(`the row is longer than ${MAX_ROW_BYTES} bytes`, '');
  return { kind: 'row', value: plain(row), size };
}

/** An answer of the store that failed; what else the library throws is about the file. */
class ReadFailed extends Error {}

function openFile(read: ReadRange, byteLength: number): AsyncBuffer {
  return {
    byteLength,
    async slice(start, end = byteLength) {
      // The length of the footer and the places of columns are what the file says.
      if (end - start > MAX_GROUP_BYTES) throw new ObjectUnreadable(tooLarge(end - start));
      try {
        const bytes = await read(start, end);
        return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
      } catch (cause) {
        throw new ReadFailed('the object cannot be read', { cause });
      }
    },
  };
}

function tooLarge(bytes: number): string {
  return `has a row group of ${bytes} bytes without an index of its pages, and ${MAX_GROUP_BYTES} can be kept`;
}

/** The bytes of a row group, read once. */
async function inMemory(file: AsyncBuffer, group: RowGroup): Promise<AsyncBuffer> {
  const ranges = group.columns.flatMap(({ meta_data: column }) => {
    if (column === undefined) return [];
    const { dictionary_page_offset: dictionaryAt, data_page_offset: dataAt } = column;
    // Some writers say 0 where there is no dictionary.
    const start = countOf(dictionaryAt === undefined || dictionaryAt === 0n ? dataAt : dictionaryAt);
    return [{ start, end: start + countOf(column.total_compressed_size) }];
  });
  const first = Math.min(...ranges.map(({ start }) => start));
  const last = Math.max(...ranges.map(({ end }) => end));
  if (last - first > MAX_GROUP_BYTES) throw new ObjectUnreadable(tooLarge(last - first));
  const bytes = await file.slice(first, last);
  return {
    byteLength: file.byteLength,
    slice: (start, end = file.byteLength) =>
      start >= first && end <= last ? bytes.slice(start - first, end - first) : file.slice(start, end),
  };
}

/** All of one slice of rows may unpack to so much. */
function boundedCompressors(): typeof compressors {
  let left = MAX_UNPACKED_BYTES;
  return Object.fromEntries(
    Object.entries(compressors).map(([codec, unpack]) => [
      codec,
      (input: Uint8Array, outputLength: number) => {
        left -= outputLength;
        if (!(left >= 0)) throw new ObjectUnreadable(`has pages that unpack to more than ${MAX_UNPACKED_BYTES} bytes`);
        return unpack(input, outputLength);
      },
    ]),
  );
}

async function asParquet<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ReadFailed) throw error.cause;
    if (error instanceof ObjectUnreadable) throw error;
    throw new ObjectUnreadable(`is no Parquet: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function countOf(value: bigint): number {
  const count = Number.parseInt(value.toString(), 10);
  if (!Number.isSafeInteger(count) || count < 0) throw new ObjectUnreadable('is no Parquet: it has impossible counts');
  return count;
}
