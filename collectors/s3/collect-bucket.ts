import { pause, type SourceContext, type SourceRecord, Stopped } from '../core/source.ts';
import { type Bucket, type Listed, statusOf } from './bucket.ts';
import { rowsOf } from './object-rows.ts';
import { changeTo, forgettable, rowToReadFrom } from './object-states.ts';
import { isPattern, prefixesOf } from './prefixes.ts';
import type { Row } from './rows.ts';
import type { Scanner } from './scanners.ts';

export interface CollectSettings {
  readonly bucket: string;
  readonly prefix: string;
  readonly scanner: Scanner;
  readonly pollMs: number;
  readonly lookbackMs: number;
  readonly onOverwrite: 'reread' | 'refuse';
  readonly stuckAfterMs: number;
}

/** Rows between two commits: what a kill makes read again. */
const ROWS_A_STEP = 1000;
/** Beyond it a step is taken earlier. */
const STEP_BYTES = 2 * 1024 * 1024;
/** Objects that are read at once: a large one must not hold up all others, and each holds a step in memory. */
const OBJECTS_AT_ONCE = 4;
/** Objects that cannot be read are remembered with since when; beyond so many their age is not known. */
const MAX_FAILING = 10_000;

/** Since when an object cannot be read. */
type Failing = Map<string, number>;

/** Lists and reads, again and again. */
export async function collectBucket(bucket: Bucket, settings: CollectSettings, context: SourceContext): Promise<void> {
  const { clock, signal, once } = context;
  const failing: Failing = new Map();
  let pruned = '';
  while (!signal.aborted) {
    const startedAtMs = clock.epochMs();
    const prefixes = prefixesOf(settings.prefix, startedAtMs, settings.lookbackMs);
    const isComplete = await pass(bucket, prefixes, settings, context, failing);
    context.report({ isReached: isComplete, open: failing.size, ...(isComplete && { upToMs: startedAtMs }) });
    if (isComplete && isPattern(settings.prefix) && prefixes.join() !== pruned) {
      for (const cursor of forgettable(context.cursor, prefixes)) await context.take({ records: [], cursor });
      pruned = prefixes.join();
    }
    if (once && isComplete) return;
    await pause(clock, settings.pollMs, signal);
  }
}

/** @returns whether all was listed; objects that cannot be read are `failing`, and hold up nobody */
async function pass(
  bucket: Bucket,
  prefixes: readonly string[],
  settings: CollectSettings,
  context: SourceContext,
  failing: Failing,
): Promise<boolean> {
  try {
    for (const prefix of prefixes) {
      for await (const page of bucket.list(prefix, context.signal)) {
        await eachOf(page, OBJECTS_AT_ONCE, (object) => readObject(bucket, object, settings, context, failing));
      }
    }
    return true;
  } catch (error) {
    if (error instanceof Stopped || context.signal.aborted) throw new Stopped();
    const fields = { collector: context.name, bucket: settings.bucket, status: statusOf(error), cause: causeOf(error) };
    context.rareLog.note({ key: `${context.name} list`, level: 'error', msg: 'the bucket cannot be listed', fields });
    return false;
  }
}

async function readObject(
  bucket: Bucket,
  object: Listed,
  settings: CollectSettings,
  context: SourceContext,
  failing: Failing,
): Promise<void> {
  const { clock, cursor, name, rareLog, signal } = context;
  const from = rowToReadFrom(object, cursor, settings.onOverwrite);
  const fields = { collector: name, key: object.key };
  if (from === 'overwritten') {
    rareLog.note({
      key: `${name} overwritten`,
      level: 'error',
      msg: 'an object was overwritten, and is not read again',
      fields,
    });
  }
  if (typeof from !== 'number') return;
  try {
    await readRows(bucket, object, from, settings, context);
    failing.delete(object.key);
  } catch (error) {
    if (error instanceof Stopped || signal.aborted) throw new Stopped();
    // Gone, or another version by now: the next listing says which.
    if (statusOf(error) === 404 || statusOf(error) === 412) return;
    const now = clock.epochMs();
    const sinceMs = failing.get(object.key) ?? now;
    if (failing.size < MAX_FAILING) failing.set(object.key, sinceMs);
    const isStuck = now - sinceMs >= settings.stuckAfterMs;
    const msg = isStuck ? 'an object cannot be read for long' : 'an object cannot be read, and is tried again';
    rareLog.note({
      key: `${name} ${msg}`,
      level: isStuck ? 'error' : 'warn',
      msg,
      fields: { ...fields, status: statusOf(error), cause: causeOf(error) },
    });
  }
}

async function readRows(
  bucket: Bucket,
  object: Listed,
  from: number,
  { bucket: bucketName, scanner }: CollectSettings,
  context: SourceContext,
): Promise<void> {
  const { key, etag } = object;
  let records: SourceRecord[] = [];
  let bytes = 0;
  let rows = from;
  const commit = async (isDone: boolean) => {
    await context.take({ records, cursor: [changeTo(key, { etag, rows, isDone })] });
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

function causeOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** Works on so many at once; all are done or one has failed when it resolves. */
async function eachOf<T>(items: readonly T[], most: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = rest.next(); next.done !== true; next = rest.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
}
