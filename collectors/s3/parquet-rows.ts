import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { ObjectUnreadable, type Row } from './rows.ts';

/** Reads a part of the object; both in bytes. */
export type ReadRange = (start: number, end: number) => Promise<Buffer>;

/** So many rows are in memory at a time, beside the pages that they stand in. */
const ROWS_AT_ONCE = 1000;
/** A guess: they are read a thousand at a time anyway. */
const ROW_BYTES = 200;

/**
 * The rows of a Parquet file, read by ranges. 64-bit integers beyond fifteen digits and decimals are texts, instants RFC 3339,
 * bytes base64.
 * @param from rows that are known already
 * @throws ObjectUnreadable when it is no Parquet
 */
export async function* rowsOfParquet(read: ReadRange, byteLength: number, from: number): AsyncGenerator<Row> {
  const file: AsyncBuffer = {
    byteLength,
    async slice(start, end = byteLength) {
      const bytes = await read(start, end);
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    },
  };
  const metadata = await asObject(() => parquetMetadataAsync(file));
  const count = plainNumber(metadata.num_rows);
  for (let rowStart = from; rowStart < count; rowStart += ROWS_AT_ONCE) {
    const rowEnd = Math.min(count, rowStart + ROWS_AT_ONCE);
    const rows = await asObject(() => parquetReadObjects({ file, metadata, compressors, rowStart, rowEnd }));
    for (const row of rows) yield { kind: 'row', value: plain(row), size: ROW_BYTES };
  }
}

/** What the library throws is about the file, unless reading threw it. */
async function asObject<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && '$metadata' in error) throw error;
    throw new ObjectUnreadable(`is no Parquet: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString().length <= 15 ? plainNumber(value) : value.toString();
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

function plainNumber(value: bigint): number {
  return Number.parseInt(value.toString(), 10);
}
