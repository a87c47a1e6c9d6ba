import { pause, type SourceContext, type Span, Stopped } from '../core/source.ts';
import { type Bucket, type Listed, statusOf } from './bucket.ts';
import { createForgetting, isBelow, outside } from './forgetting.ts';
import { createObjectReader, type ObjectReader, type ReaderSettings } from './object-reader.ts';
import { rowToReadFrom } from './object-states.ts';
import { isPattern, prefixesOf, spanToList } from './prefixes.ts';

export interface CollectSettings extends ReaderSettings {
  readonly prefix: string;
  readonly lookbackMs: number;
  readonly onOverwrite: 'reread' | 'refuse';
}

/** The store's time at the last complete listing; behind the keys of objects. */
const LISTED_AT = 'listed';

/** Lists and reads, again and again. */
export async function collectBucket(bucket: Bucket, settings: CollectSettings, context: SourceContext): Promise<void> {
  const { clock, signal, once } = context;
  const reader = createObjectReader(bucket, settings, context);
  try {
    while (!signal.aborted) {
      const startedAtMs = clock.epochMs();
      const isComplete = await listAndRead(bucket, settings, context, reader);
      if (once) await reader.idle();
      const upToMs = Math.min(startedAtMs, reader.oldestAtMs() ?? startedAtMs);
      context.report({ isReached: isComplete, open: reader.failing, ...(isComplete && { upToMs }) });
      const isAll = isComplete && reader.interrupted() === 0;
      if (once && isAll) return;
      await pause(clock, settings.pollMs, signal);
    }
  } finally {
    await reader.idle();
  }
}

/**
 * Reads all objects of a span once more, whatever is known of them, and remembers nothing: ids make it count once. Those are of
 * a pattern the ones below the prefixes of its hours, else the ones that were written then.
 * @throws Error that says what could not be read
 */
export async function backfillBucket(
  bucket: Bucket,
  settings: CollectSettings,
  context: SourceContext,
  span: Span,
): Promise<void> {
  const reader = createObjectReader(bucket, settings, context);
  const isMeant = ({ key, size, modifiedAtMs: at }: Listed) =>
    !key.endsWith('/') &&
    size > 0 &&
    (isPattern(settings.prefix) || at === undefined || (at >= span.fromMs && at < span.toMs));
  try {
    for (const prefix of prefixesOf(settings.prefix, span)) {
      for await (const { objects } of bucket.list(prefix, context.signal)) {
        for (const object of objects.filter(isMeant)) {
          await reader.offer(object, 0, false);
          if (context.signal.aborted) throw new Stopped();
        }
      }
    }
  } catch (error) {
    if (error instanceof Stopped || context.signal.aborted) throw new Stopped();
    throw new Error(`the bucket cannot be listed: ${settings.causeOf(error)}`);
  } finally {
    await reader.idle();
  }
  if (reader.failing > 0) throw new Error(`${reader.failing} objects could not be read; the log says why`);
}

/** @returns whether all was listed; objects that cannot be read hold up nobody */
async function listAndRead(
  bucket: Bucket,
  settings: CollectSettings,
  context: SourceContext,
  reader: ObjectReader,
): Promise<boolean> {
  const { cursor, signal } = context;
  try {
    const nowMs = await bucket.nowMs(signal);
    const listedAt = cursor.get(LISTED_AT);
    const span = spanToList(nowMs, settings.lookbackMs, listedAt === undefined ? undefined : Date.parse(listedAt));
    const prefixes = prefixesOf(settings.prefix, span);
    for (const prefix of prefixes) await listPrefix(bucket, prefix, nowMs, settings, context, reader);
    leave(
      reader.passed().filter((key) => !isBelow(prefixes, key)),
      context,
    );
    await remember(prefixes, nowMs, settings, context);
    return true;
  } catch (error) {
    if (error instanceof Stopped || signal.aborted) throw new Stopped();
    const cause = settings.causeOf(error);
    const fields = { collector: context.name, bucket: settings.bucket, status: statusOf(error), cause };
    context.rareLog.note({ key: `${context.name} list`, level: 'error', msg: 'the bucket cannot be listed', fields });
    return false;
  }
}

async function listPrefix(
  bucket: Bucket,
  prefix: string,
  nowMs: number,
  { onOverwrite, lookbackMs }: CollectSettings,
  context: SourceContext,
  reader: ObjectReader,
): Promise<void> {
  const { cursor, name, rareLog, signal } = context;
  const passed = createForgetting(cursor, prefix, lookbackMs);
  for await (const page of bucket.list(prefix, signal)) {
    for (const object of page.objects) {
      const from = rowToReadFrom(object, cursor, onOverwrite);
      if (from === 'overwritten') {
        rareLog.note({
          key: `${name} overwritten`,
          level: 'error',
          msg: 'an object was overwritten, and is not read again',
          fields: { collector: name, key: object.key },
        });
      }
      if (typeof from === 'number') await reader.offer(object, from, true);
      if (signal.aborted) throw new Stopped();
    }
    for (const cursorChanges of passed(page, nowMs)) await context.take({ records: [], cursor: cursorChanges });
  }
}

/** All is listed up to now; of a pattern, what stands below older prefixes is not looked at any more. */
async function remember(
  prefixes: readonly string[],
  nowMs: number,
  { prefix }: CollectSettings,
  context: SourceContext,
): Promise<void> {
  if (!isPattern(prefix)) return;
  const hourOf = (text: string | undefined) => text?.slice(0, 'yyyy-mm-ddThh'.length);
  const now = new Date(nowMs).toISOString();
  if (hourOf(context.cursor.get(LISTED_AT)) === hourOf(now)) return;
  for (const { changes, unfinished } of outside(context.cursor, prefixes)) {
    leave(unfinished, context);
    await context.take({ records: [], cursor: changes });
  }
  await context.take({ records: [], cursor: [{ key: LISTED_AT, value: now }] });
}

/** They could not be read while they were listed, and are not listed any more. */
function leave(keys: readonly string[], { name, rareLog, report }: SourceContext): void {
  for (const key of keys) {
    report({ incomplete: 'unread_object' });
    rareLog.note({
      key: `${name} left`,
      level: 'error',
      msg: 'an object was never read to its end, and is older than what is listed',
      fields: { collector: name, key },
    });
  }
}
