import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  type RowGroup,
} from 'hyparquet';
import { boundedCompressors } from './parquet-compressors.ts';
import { vetted } from './parquet-pages.ts';
import { plain, sizeOf } from './parquet-values.ts';
import { brokenRow, MAX_ROW_BYTES, ObjectUnreadable, type Row } from './rows.ts';

/** Reads a part of the object; both in bytes. Does not reject: who cannot read it ends the thread. */
export type ReadRange = (start: number, end: number) => Promise<ArrayBuffer>;

/** So many rows are in memory at a time, beside the pages that they stand in. */
const ROWS_AT_ONCE = 5000;
/** So many are handed over at a time. */
const ROWS_A_LOT = 200;
/** Of a row group that has no index of its pages all is kept while its rows are read: it would be transferred for each slice. */
const MAX_GROUP_BYTES = 64 * 1024 * 1024;

/**
 * The rows of a Parquet file, read by ranges, in lots. What it asks for is bounded by the memory of the thread that it runs in;
 * what V8 does not count as such, by what the headers of its pages say.
 * @param from rows that are known already
 * @throws ObjectUnreadable when it is no Parquet, or asks for more memory than there is
 */
export async function* rowsOfFile(read: ReadRange, byteLength: number, from: number): AsyncGenerator<readonly Row[]> {
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
): AsyncGenerator<readonly Row[]> {
  const count = countOf(group.num_rows);
  const isIndexed = group.columns.every(({ offset_index_offset: offset }) => offset !== undefined);
  const source = isIndexed ? file : await asParquet(() => inMemory(file, group));
  for (let start = from; start < count; start += ROWS_AT_ONCE) {
    const end = Math.min(count, start + ROWS_AT_ONCE);
    const rows = await asParquet(() =>
      parquetReadObjects({
        file: vetted(source, group),
        metadata,
        compressors: boundedCompressors(),
        rowStart: groupStart + start,
        rowEnd: groupStart + end,
        useOffsetIndex: true,
      }),
    );
    for (let at = 0; at < rows.length; at += ROWS_A_LOT) yield rows.slice(at, at + ROWS_A_LOT).map(rowOf);
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

function openFile(read: ReadRange, byteLength: number): AsyncBuffer {
  return {
    byteLength,
    async slice(start, end = byteLength) {
      // The length of the footer and the places of columns are what the file says.
      if (end - start > MAX_GROUP_BYTES) throw new ObjectUnreadable(tooLarge(end - start));
      return read(start, end);
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

async function asParquet<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ObjectUnreadable) throw error;
    throw new ObjectUnreadable(`is no Parquet: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function countOf(value: bigint): number {
  const count = Number.parseInt(value.toString(), 10);
  if (!Number.isSafeInteger(count) || count < 0) throw new ObjectUnreadable('is no Parquet: it has impossible counts');
  return count;
}
