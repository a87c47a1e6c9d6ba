import type { Bucket, Listed } from './bucket.ts';
import { rowsOfCsv } from './csv-rows.ts';
import { rowsOfParquet } from './parquet-rows.ts';
import { type Row, rowOfAll, rowsOfJson, rowsOfLines } from './rows.ts';
import type { Scanner } from './scanners.ts';
import { unpacked } from './unpacking.ts';

/** A `.json` may be an array, or documents, which its text tells. */
type Kind = Exclude<Scanner, 'auto'> | 'json';

/** The rows of an object behind the first `from`, numbered from 0. */
export async function* rowsOf(
  bucket: Bucket,
  object: Listed,
  scanner: Scanner,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<{ readonly index: number; readonly row: Row }> {
  const kind = scanner === 'auto' ? kindOf(object.key) : scanner;
  let index = kind === 'parquet' ? from : 0;
  for await (const row of await rowsOfKind(kind, bucket, object, from, signal)) {
    if (index >= from) yield { index, row };
    index++;
  }
}

async function rowsOfKind(
  kind: Kind,
  bucket: Bucket,
  object: Listed,
  from: number,
  signal: AbortSignal,
): Promise<AsyncIterable<Row>> {
  if (kind === 'parquet') {
    const read = async (start: number, end: number) => {
      const chunks: Buffer[] = [];
      for await (const chunk of await bucket.read(object, signal, { start, end })) chunks.push(chunk);
      return Buffer.concat(chunks);
    };
    return rowsOfParquet(read, object.size, from);
  }
  const bytes = unpacked(await bucket.read(object, signal));
  switch (kind) {
    case 'lines':
      return rowsOfLines(bytes);
    case 'json':
      return rowsOfJson(bytes, 'either');
    case 'json_documents':
      return rowsOfJson(bytes, 'documents');
    case 'json_array':
      return rowsOfJson(bytes, 'array');
    case 'csv':
      return rowsOfCsv(bytes);
    case 'to_the_end':
      return rowOfAll(bytes);
  }
}

/** By the name, without what says that it is packed. */
function kindOf(key: string): Kind {
  const name = key.toLowerCase().replace(/\.(gz|gzip|zst|zstd)$/, '');
  if (name.endsWith('.parquet')) return 'parquet';
  if (name.endsWith('.csv') || name.endsWith('.tsv')) return 'csv';
  return name.endsWith('.json') ? 'json' : 'lines';
}
