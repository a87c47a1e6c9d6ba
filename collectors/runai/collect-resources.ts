import { pause, type SourceContext, Stopped } from '../core/source.ts';
import type { RunaiApi } from './api.ts';
import { type CollectSettings, createAdvance, type Outcome } from './collect-resource.ts';
import { ApiFailure } from './http.ts';
import { pagesOf } from './pages.ts';
import { openProgress, type Progress } from './progress.ts';
import type { Resource } from './resources.ts';
import { openStates, type States } from './states.ts';

/** What a list may be behind with what it lists. */
const LOOKBACK_MS = 300_000;
/** A page of dates has whole seconds, and what is just over is not known at once. */
const LEAST_PAUSE_MS = 1000;
/** With slices of hours, what is open is still asked for again before the next. */
const OPEN_PAUSE_MS = 60_000;
/** Passes without a word about something that ran: a list may be behind for one. */
const MAX_UNSEEN = 5;
const SKEW_MS = 5000;

/** One reading of all lists, and of what they lead to. */
interface Pass {
  /** The last tick that is over. */
  closedMs: number | undefined;
  readonly seen: Set<string>;
}

/** Reads the lists after each tick, and takes of each resource what it lived since it was last looked at. */
export async function collectResources(
  api: RunaiApi,
  settings: CollectSettings,
  context: SourceContext,
): Promise<void> {
  const { clock, signal, once, cursor } = context;
  const states = openStates(cursor);
  const progress = openProgress(settings, states, context);
  const advance = createAdvance(api, settings, states, context);
  const unseen = new Map<string, number>();
  while (!signal.aborted) {
    const isComplete = await onePass(api, settings, context, { states, progress, advance, unseen });
    if (once && isComplete) return;
    const isBehind = !isComplete || progress.open() > 0;
    const nextMs = Math.max(LEAST_PAUSE_MS, progress.msToNextTick());
    await pause(clock, isBehind ? Math.min(nextMs, OPEN_PAUSE_MS) : nextMs, signal);
  }
}

interface Parts {
  readonly states: States;
  readonly progress: Progress;
  readonly advance: (resource: Resource, closedMs: number, progress: Progress) => Promise<Outcome>;
  readonly unseen: Map<string, number>;
}

/** @returns whether all lists were read; what a resource failed with is its own business */
async function onePass(
  api: RunaiApi,
  settings: CollectSettings,
  context: SourceContext,
  parts: Parts,
): Promise<boolean> {
  const { progress } = parts;
  const pass: Pass = { closedMs: undefined, seen: new Set() };
  try {
    await readList(api, settings.kind.active(settings.phases), settings, context, parts, pass);
    const since = new Date(progress.lowestMs() - LOOKBACK_MS).toISOString();
    for (const query of settings.kind.changed(since)) await readList(api, query, settings, context, parts, pass);
    if (pass.closedMs !== undefined) await progress.taken(pass.closedMs);
    await giveUpUnseen(pass, context, parts);
    for (const cursor of progress.forgettable()) await context.take({ records: [], cursor });
    context.report({ isReached: true, open: progress.open(), upToMs: progress.lowestMs() });
    return true;
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    const fields = { collector: context.name, cause: error.message };
    context.rareLog.note({ key: `${context.name} list`, level: 'error', msg: 'Run:ai cannot be read', fields });
    context.report({ isReached: false, open: progress.open() });
    return false;
  }
}

async function readList(
  api: RunaiApi,
  query: Readonly<Record<string, string>>,
  settings: CollectSettings,
  context: SourceContext,
  { progress, advance }: Parts,
  pass: Pass,
): Promise<void> {
  const { kind, pageSize, concurrency } = settings;
  for await (const { items, dateMs } of pagesOf(api, kind, query, pageSize, context.signal)) {
    // The first answer says how late it is, for all of the pass: what is not over is not asked for.
    pass.closedMs ??= await progress.closedMs(nowOf(dateMs, context));
    const { closedMs } = pass;
    await eachOf(items, concurrency, async (item) => {
      const resource = kind.read(item);
      if (resource === undefined) return noteUnreadable(context);
      if (pass.seen.has(resource.id)) return;
      pass.seen.add(resource.id);
      await advance(resource, closedMs, progress);
    });
  }
}

/**
 * The server's clock, which its instants are of, or ours where that is behind: what has not been lived is not billed, however
 * wrong one of the two is.
 */
function nowOf(dateMs: number | undefined, { clock, rareLog, name }: SourceContext): number {
  const ownMs = clock.epochMs();
  if (dateMs === undefined) return ownMs;
  if (Math.abs(dateMs - ownMs) > SKEW_MS) {
    const fields = { collector: name, seconds: Math.round((dateMs - ownMs) / 1000) };
    rareLog.note({ key: `${name} skew`, level: 'warn', msg: "Run:ai's clock and ours differ", fields });
  }
  return Math.min(dateMs, ownMs);
}

function noteUnreadable({ rareLog, name, report }: SourceContext): void {
  rareLog.note({
    key: `${name} unreadable`,
    level: 'error',
    msg: 'something in a list cannot be read, and is passed over',
    fields: { collector: name },
  });
  report({ incomplete: 'unreadable' });
}

/** What ran, and is in no list any more, neither as ended nor as deleted: how long it ran will not be known. */
async function giveUpUnseen(pass: Pass, context: SourceContext, { states, unseen, progress }: Parts): Promise<void> {
  const { closedMs = 0 } = pass;
  for (const [id, upToMs] of states.followed) {
    if (pass.seen.has(id) || upToMs >= closedMs) {
      unseen.delete(id);
      continue;
    }
    const times = (unseen.get(id) ?? 0) + 1;
    unseen.set(id, times);
    const state = states.get(id);
    if (times < MAX_UNSEEN || state === undefined) continue;
    const over = { ...state, isFollowed: false, runsOn: false };
    await context.take({ records: [], cursor: [states.change(id, over)] });
    states.taken(id, over);
    unseen.delete(id);
    const fields = { collector: context.name, id, up_to: new Date(upToMs).toISOString() };
    context.rareLog.note({
      key: `${context.name} vanished`,
      level: 'error',
      msg: 'something that ran is in no list any more; when it ended is not known',
      fields,
    });
    context.report({ incomplete: 'vanished' });
  }
  progress.open();
}

/** Works on so many at once; all are done when it resolves. One that ends the work ends it when the others are done. */
async function eachOf<T>(items: readonly T[], most: number, work: (item: T) => Promise<void> | void): Promise<void> {
  const rest = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = rest.next(); next.done !== true; next = rest.next()) await work(next.value);
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(most, items.length) }, worker));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason instanceof Stopped ? new Stopped() : failed.reason;
}
