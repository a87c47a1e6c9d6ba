import type { SourceContext, SourceRecord } from '../core/source.ts';
import { Stopped } from '../core/source.ts';
import type { Bucket, Listed } from './bucket.ts';
import { rowsOf } from './object-rows.ts';
import { changeTo } from './object-states.ts';
import type { Row } from './rows.ts';
import { ObjectUnreadable } from './rows.ts';
import type { Scanner } from './scanners.ts';

export interface ReadSettings {
  readonly bucket: string;
  readonly scanner: Scanner;
}

/** How an attempt went on, also when it failed in the end. */
export interface Progress {
  /** Rows of it that are taken. */
  rows: number;
  /** How long it waited for the spool, milliseconds. */
  waitedMs: number;
}

/** Rows between two commits: what a kill makes read again. */
const ROWS_A_STEP = 1000;
/** Beyond it a step is taken earlier. */
const STEP_BYTES = 2 * 1024 * 1024;

/**
 * Takes the rows of an object behind the first `from`, and remembers how far it has come.
 * @param isKept false = the place is not remembered: what is done with it already must stay so
 */
export async function readObject(
  bucket: Bucket,
  object: Listed,
  from: number,
  { bucket: bucketName, scanner }: ReadSettings,
  context: SourceContext,
  progress: Progress,
  isKept: boolean,
): Promise<void> {
  const { key, etag } = object;
  if (etag === '') throw new ObjectUnreadable('has no ETag in the listing, so that its versions cannot be told apart');
  let records: SourceRecord[] = [];
  let bytes = 0;
  let rows = from;
  const commit = async (isDone: boolean) => {
    const startedAtMs = context.clock.now();
    await context.take({ records, cursor: isKept ? [changeTo(key, { etag, rows, isDone })] : [] });
    progress.waitedMs += context.clock.now() - startedAtMs;
    progress.rows = rows - from;
    records = [];
    bytes = 0;
  };
  for await (const { index, row } of rowsOf(bucket, object, scanner, from, context.signal)) {
    records.push(
      recordOf(row, [bucketName, key, etag, String(index)], { s3_bucket: bucketName, s3_key: key, row: String(index) }),
    );
    rows = index + 1;
    bytes += row.kind === 'row' ? row.size : row.text.length;
    if (records.length >= ROWS_A_STEP || bytes >= STEP_BYTES) await commit(false);
    if (context.signal.aborted) throw new Stopped();
  }
  await commit(true);
}

function recordOf(row: Row, parts: readonly string[], meta: Readonly<Record<string, string>>): SourceRecord {
  if (row.kind === 'row') return { message: row.value, meta, parts };
  return { message: row.text, meta, parts, problem: row.reason };
}
