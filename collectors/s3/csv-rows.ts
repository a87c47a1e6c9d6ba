import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { brokenRow, MAX_ROW_BYTES, ObjectUnreadable, type Row } from './rows.ts';

const NEWLINE = 10;

/**
 * The rows of a CSV with a header line (RFC 4180; BOM, CRLF, quotes with line breaks), as objects of texts. The delimiter is
 * that of `, ; tab |` which the header has most of.
 * @throws ObjectUnreadable where a quote is never closed
 */
export async function* rowsOfCsv(bytes: AsyncIterable<Buffer>): AsyncGenerator<Row> {
  const iterator = bytes[Symbol.asyncIterator]();
  const head = await firstLine(iterator);
  if (head.length === 0) return;
  const parser = parse({
    bom: true,
    delimiter: delimiterOf(head),
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MAX_ROW_BYTES,
  });
  async function* all(): AsyncGenerator<Buffer> {
    yield head;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  }
  let sourceError: unknown;
  const source = Readable.from(all());
  source.on('error', (error) => {
    sourceError = error;
    parser.destroy(error);
  });
  let header: readonly string[] | undefined;
  try {
    for await (const record of source.pipe(parser) as AsyncIterable<string[]>) {
      if (header === undefined) {
        header = record;
        continue;
      }
      if (record.length > header.length) yield brokenRow('the row has more fields than the header', record.join(','));
      else
        yield { kind: 'row', value: rowOf(header, record), size: record.reduce((sum, text) => sum + text.length, 0) };
    }
  } catch (error) {
    if (sourceError !== undefined) throw sourceError;
    throw new ObjectUnreadable(`is no CSV: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    source.destroy();
    parser.destroy();
  }
}

/** What has the header line, at least. */
async function firstLine(iterator: AsyncIterator<Buffer>): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (!head.includes(NEWLINE) && head.length < MAX_ROW_BYTES) {
    const { value, done } = await iterator.next();
    if (done === true) break;
    head = Buffer.concat([head, value]);
  }
  return head;
}

function rowOf(header: readonly string[], record: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    header.flatMap((name, index) => (record[index] === undefined ? [] : [[name, record[index]]])),
  );
}

function delimiterOf(head: Buffer): string {
  const [line = ''] = head.toString('utf8').split(/\r?\n/, 1);
  const counted = [',', ';', '\t', '|'].map((delimiter) => ({ delimiter, count: line.split(delimiter).length }));
  return counted.toSorted((a, b) => b.count - a.count)[0]?.delimiter ?? ',';
}
