import { pause, type SourceContext, Stopped } from '../core/source.ts';
import { type ApiClient, ApiError, errorInStream, TooLarge } from './api-client.ts';
import type { SliceCounter } from './counting.ts';
import { at, listAt, textAt } from './json.ts';
import type { Lease } from './lease.ts';
import { sliceOf } from './slices.ts';
import type { Tracker } from './tracker.ts';
import { readLines, versionOf } from './watch-lines.ts';

export interface FollowOptions {
  readonly client: ApiClient;
  /** Of the collection, without a query. */
  readonly path: string;
  readonly pageSize: number;
  readonly intervalMs: number;
  readonly settleMs: number;
  readonly lookbackMs: number;
  readonly tracker: Tracker;
  readonly counter: SliceCounter;
  readonly lease: Lease | undefined;
  readonly context: SourceContext;
  onReached(isReached: boolean): void;
}

/** The server ends a watch after so long; until then it says about once a minute that nothing has been left out. */
const WATCH_SECONDS = 300;
/** Longer without a word than any living server is silent. */
const SILENT_MS = 120_000;
/** What was read of a watch that ended this much before its time may not have been all. */
const EARLY_MS = 10_000;
/** Without any proof that all has been seen, a list is one. */
const UNPROVEN_MS = 600_000;
const LEAST_DELAY_MS = 50;
const MOST_DELAY_MS = 30_000;
const MOST_PAGE = 10_000;
/** With `--once`, for what happened since the last run: the watch tells more than a list. */
const ONCE_SECONDS = 5;

/**
 * Lists and watches a collection, for ever: a watch goes on where the last one ended; where the server has forgotten that, all
 * is listed anew. Slices are counted when all that happened in them is known: up to the last proof of that (a list, a bookmark,
 * a watch that lasted its time), less what events take to arrive.
 */
export async function follow(options: FollowOptions): Promise<void> {
  const { tracker, context } = options;
  const { clock, signal, once } = context;
  let failures = 0;
  let provenAt = clock.now();
  let pageSize = options.pageSize;
  let isListWanted = false;
  const onProgress = () => {
    failures = 0;
    options.onReached(true);
  };

  const proven = async (seenMs: number, version: string | undefined) => {
    await tracker.seen(seenMs, version);
    provenAt = clock.now();
    await count(options);
  };

  async function step(): Promise<'again' | 'done'> {
    const { version } = tracker.progress;
    const isStale = clock.now() - provenAt > UNPROVEN_MS;
    if (version === undefined || isListWanted || isStale) {
      await listAll(options, pageSize, onProgress);
      isListWanted = false;
      provenAt = clock.now();
      pageSize = options.pageSize;
      await count(options);
      return once ? 'done' : 'again';
    }
    const onFlaw = () => {
      isListWanted = true;
    };
    await watch(options, version, proven, onProgress, onFlaw);
    // The watch tells more of what has happened; but only a list ends.
    if (once) isListWanted = true;
    return 'again';
  }

  while (!signal.aborted) {
    try {
      if ((await step()) === 'done') return;
      // A server that ends every watch at once is not asked without a pause.
      if (failures++ === 0) continue;
    } catch (error) {
      if (error instanceof Stopped || signal.aborted) throw new Stopped();
      failures++;
      if (error instanceof TooLarge) pageSize = Math.max(1, Math.floor(pageSize / 4));
      else if (error instanceof ApiError && error.status === 410) {
        // The history that a watch or the next page needs is gone. Larger pages take less time.
        isListWanted = true;
        if (tracker.progress.version === undefined) pageSize = Math.min(MOST_PAGE, pageSize * 4);
        if (failures === 1) continue;
      } else {
        // One cut is how any server restarts.
        if (failures > 1) trouble(options, error);
        if (failures > 1) options.onReached(false);
        // Perhaps it fails because of what stands there: a list goes around it.
        if (failures % 5 === 0) isListWanted = true;
      }
      if (error instanceof ApiError && error.retryAfterMs !== undefined) await pause(clock, error.retryAfterMs, signal);
    }
    await pause(clock, Math.min(MOST_DELAY_MS, LEAST_DELAY_MS * 2 ** Math.min(failures, 16)), signal);
  }
  throw new Stopped();
}

function trouble({ context, path }: FollowOptions, error: unknown): void {
  const status = error instanceof ApiError ? error.status : undefined;
  const cause =
    error instanceof Error ? `${error.message}${error.cause instanceof Error ? `: ${error.cause.message}` : ''}` : '?';
  const fields = { collector: context.name, path, status, cause: cause.slice(0, 500) };
  const key = `${context.name} api ${status ?? ''}`;
  context.rareLog.note({ key, level: 'error', msg: 'the API server cannot be read', fields });
}

async function listAll(options: FollowOptions, pageSize: number, onProgress: () => void): Promise<void> {
  const { client, path, tracker, context } = options;
  await tracker.beginList();
  let first: { readonly version: string; readonly seenMs: number } | undefined;
  for (let next = ''; ; ) {
    const query = new URLSearchParams({ limit: String(pageSize), ...(next !== '' && { continue: next }) });
    const page = await client.get(`${path}?${query}`, context.signal);
    const nowMs = client.time.nowMs();
    const version = versionOf(page);
    if (version === undefined || !Array.isArray(at(page, 'items'))) throw new Error('the API server answered no list');
    // The list is of this moment; what happened since is the watch's.
    first ??= { version, seenMs: nowMs };
    await tracker.listed(listAt(page, 'items'), nowMs);
    onProgress();
    const following = textAt(page, 'metadata', 'continue');
    if (following === undefined) break;
    if (following === next) throw new Error('the API server answers the same page again');
    next = following;
  }
  await tracker.endList(first.version, first.seenMs);
}

/** `onFlaw`: something of it could not be read; it stands in a list as well. */
async function watch(
  options: FollowOptions,
  version: string,
  proven: (seenMs: number, version: string | undefined) => Promise<void>,
  onProgress: () => void,
  onFlaw: () => void,
): Promise<void> {
  const { client, path, tracker, settleMs, context } = options;
  const { clock, once, signal } = context;
  const seconds = once ? ONCE_SECONDS : WATCH_SECONDS;
  const query = new URLSearchParams({
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: version,
    timeoutSeconds: String(seconds),
  });
  const lines = await client.stream(`${path}?${query}`, SILENT_MS + (once ? 0 : WATCH_SECONDS * 1000), signal);
  const openedAt = clock.now();
  options.onReached(true);
  let isCaughtUp = client.time.nowMs() - (tracker.progress.seenMs ?? 0) < Math.max(settleMs, 1000);
  for await (const chunk of lines) {
    for (const read of readLines(chunk)) {
      if (read.isFlawed) onFlaw();
      const nowMs = client.time.nowMs();
      if (read.events.length > 0) await tracker.events(read.events, read.version, nowMs, isCaughtUp);
      if (read.error !== undefined) throw errorInStream(read.error);
      if (read.hasBookmark) {
        isCaughtUp = true;
        await proven(nowMs, read.version);
      }
      onProgress();
    }
    await count(options);
  }
  if (clock.now() - openedAt >= seconds * 1000 - EARLY_MS && !once) {
    await proven(client.time.nowMs(), undefined);
    onProgress();
  }
}

async function count({
  tracker,
  counter,
  lease,
  intervalMs,
  settleMs,
  lookbackMs,
  context,
}: FollowOptions): Promise<void> {
  const { seenMs, closedMs } = tracker.progress;
  if (seenMs === undefined || (lease !== undefined && lease.state === undefined)) return;
  const readyMs = sliceOf(seenMs - settleMs, intervalMs);
  const isStandby = lease?.state === 'standby';
  // A holder that has said nothing yet has counted nothing that we could pass over.
  const targetMs = isStandby ? Math.min(readyMs, lease?.markMs ?? Number.NEGATIVE_INFINITY) : readyMs;
  if (closedMs === undefined) {
    const from = lease?.markMs ?? readyMs - lookbackMs;
    if (from === Number.NEGATIVE_INFINITY) return;
    tracker.closed(sliceOf(Math.min(from, readyMs), intervalMs));
  }
  await counter.countTo(targetMs, isStandby, () => isStandby || lease === undefined || lease.state === 'holder');
  const upToMs = tracker.progress.closedMs;
  if (upToMs !== undefined) context.report({ upToMs });
}
