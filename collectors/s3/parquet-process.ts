/** Reads one Parquet file, and asks the process that began it for its bytes. */
import { rowsOfFile } from './parquet-file.ts';
import type { FromParquetProcess, ToParquetProcess } from './parquet-messages.ts';
import { ObjectUnreadable, type Row } from './rows.ts';

const tell = (message: FromParquetProcess) => process.send?.(message);
const reads = new Map<number, (bytes: ArrayBuffer) => void>();
let lastRead = 0;
let lots: AsyncIterator<readonly Row[]> | undefined;

process.on('message', (message: ToParquetProcess) => {
  if (message.kind === 'begin') lots = rowsOfFile(read, message.byteLength, message.from);
  else if (message.kind === 'more') void next();
  else {
    const { buffer, byteOffset, length } = message.bytes;
    reads.get(message.id)?.(buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer);
    reads.delete(message.id);
  }
});
// Whoever wanted the rows is gone.
process.on('disconnect', () => process.exit());

function read(start: number, end: number): Promise<ArrayBuffer> {
  return new Promise((resolve) => {
    const id = ++lastRead;
    reads.set(id, resolve);
    tell({ kind: 'read', id, start, end });
  });
}

async function next(): Promise<void> {
  try {
    const lot = await lots?.next();
    tell(lot === undefined || lot.done === true ? { kind: 'end' } : { kind: 'rows', rows: lot.value });
  } catch (error) {
    // What else is wrong is not the file's fault: the process ends with it.
    if (!(error instanceof ObjectUnreadable)) throw error;
    tell({ kind: 'unreadable', reason: error.message });
  }
}
