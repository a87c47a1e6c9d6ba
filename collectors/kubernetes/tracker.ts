import type { SourceContext } from '../core/source.ts';
import { writtenAt } from './instants.ts';
import type { JsonObject } from './json.ts';
import type { Look } from './life.ts';
import type { Progress } from './rows.ts';
import { createStep, type Flawed, GONE, identityOf, nameOf, type Step, type StepOptions } from './step.ts';

/** What became of an object, as a watch tells it. */
export interface ObjectEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: JsonObject;
}

/** Keeps what is known of the objects of a scope, on disk, as lists and watches tell of them. */
export interface Tracker {
  readonly progress: Progress;
  /** Events of a watch, in order. `isCaughtUp`: they happen now, and are not what was missed. */
  events(
    events: readonly ObjectEvent[],
    version: string | undefined,
    nowMs: number,
    isCaughtUp: boolean,
  ): Promise<void>;
  /** A list begins; where a watch was is forgotten. */
  beginList(): Promise<void>;
  listed(items: readonly unknown[], nowMs: number): Promise<void>;
  /** All has been listed as it was at `seenMs`: what was not there is gone. */
  endList(version: string, seenMs: number): Promise<void>;
  /** Up to then nothing else has happened. */
  seen(seenMs: number, version: string | undefined): Promise<void>;
  /** For who counts slices: it is on disk with what it takes next. */
  closed(closedMs: number): Progress;
}

export interface TrackerOptions extends StepOptions {
  readonly context: SourceContext;
}

const PAGE = 200;

export function createTracker(options: TrackerOptions): Tracker {
  const { kind, rows, context } = options;
  let progress = rows.progress();

  async function take(step: Step | undefined, next: Progress): Promise<void> {
    await context.take({ records: [], cursor: [...(step?.changes ?? []), rows.ofProgress(next)] });
    progress = next;
    for (const flawed of step?.flaws ?? []) report(options, flawed);
  }

  async function sweep(seenBeforeMs: number, nowMs: number): Promise<void> {
    const moment = { changedMs: seenBeforeMs, aliveMs: seenBeforeMs, nowMs };
    await eachPage(rows.page, ({ uid, row }, step) => {
      if (row.list !== progress.list && row.list !== GONE) step.gone(uid, moment);
    });
    await eachPage(rows.donePage, ({ uid, list }, step) => {
      if (list !== progress.list) step.forget(uid);
    });
  }

  async function eachPage<T extends { readonly key: string }>(
    read: PageOf<T>,
    work: (one: T, step: Step) => void,
  ): Promise<void> {
    for (const page of pagesOf(read)) {
      const step = createStep(options, progress);
      for (const one of page) work(one, step);
      if (step.changes.length > 0) await take(step, progress);
    }
  }

  return {
    get progress() {
      return progress;
    },
    async events(events, version, nowMs, isCaughtUp) {
      const step = createStep(options, progress);
      const cameMs = isCaughtUp ? nowMs : Math.min(progress.seenMs ?? nowMs, nowMs);
      for (const { type, object } of events) {
        const writtenMs = Math.min(writtenAt(object) ?? cameMs, nowMs);
        // The last state comes with the deletion.
        step.observe(object, progress.list, type === 'ADDED', () => ({
          changedMs: writtenMs,
          aliveMs: writtenMs,
          nowMs,
        }));
        const identity = identityOf(object);
        if (type !== 'DELETED' || identity === undefined) continue;
        const moment = { changedMs: cameMs, aliveMs: cameMs, nowMs };
        if (kind.endsWhenDeleted && isCaughtUp) step.end(object, moment);
        step.gone(identity.uid, moment, nameOf(object));
      }
      await take(step, { ...progress, ...(version !== undefined && { version }) });
    },
    async beginList() {
      const { version: _version, ...rest } = progress;
      await take(undefined, { ...rest, list: progress.list + 1 });
    },
    async listed(items, nowMs) {
      const step = createStep(options, progress);
      const { seenMs } = progress;
      const seenBeforeMs = Math.min(seenMs ?? nowMs, nowMs);
      for (const object of items) {
        const writtenMs = writtenAt(object);
        // What still ran when it was last seen ended by its last write, or else counts no longer than it was seen.
        const momentOf = ({ isOver }: Look) => ({
          changedMs: Math.min(writtenMs ?? nowMs, nowMs),
          aliveMs: isOver ? Math.min(writtenMs ?? seenBeforeMs, nowMs) : seenBeforeMs,
          nowMs,
        });
        const isNew = seenMs === undefined || (identityOf(object)?.createdMs ?? 0) >= seenMs;
        step.observe(object, progress.list, isNew, momentOf);
      }
      await take(step, progress);
    },
    async endList(version, seenMs) {
      await sweep(progress.seenMs ?? seenMs, seenMs);
      await take(undefined, { ...progress, version, seenMs: Math.max(seenMs, progress.seenMs ?? 0) });
    },
    async seen(seenMs, version) {
      const next = { ...progress, seenMs: Math.max(seenMs, progress.seenMs ?? 0) };
      await take(undefined, version === undefined ? next : { ...next, version });
    },
    closed(closedMs) {
      progress = { ...progress, closedMs };
      return progress;
    },
  };
}

type PageOf<T> = (after: string, most: number) => readonly T[];

/** Each is read when it is asked for, behind what was the last one before. */
function* pagesOf<T extends { readonly key: string }>(read: PageOf<T>): Generator<readonly T[]> {
  for (let after = ''; ; ) {
    const page = read(after, PAGE);
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.key;
    yield page;
  }
}

function report({ context, kind }: TrackerOptions, { flaw, name }: Flawed): void {
  context.report({ incomplete: flaw });
  context.rareLog.note({
    key: `${context.name} ${flaw}`,
    level: flaw === 'end_estimated' ? 'info' : 'warn',
    msg: MESSAGES[flaw],
    fields: { collector: context.name, kind: kind.plural, name },
  });
}

const MESSAGES: Readonly<Record<Flawed['flaw'], string>> = {
  end_estimated: 'the API does not tell when something ended; it counts up to when it was last known to run',
  restarts_missed: 'a container began anew more often than the API shows; runs in between are not counted',
  sent_too_long: 'something had ended before a slice that has been sent; correct it in the backend',
  sent_too_short: 'something ran in a slice that has been sent without it',
  clock: 'the clock of a node is wrong: a run would be longer than its pod has been there',
  too_many_changes: 'an object changes faster than it can be counted',
  unreadable: 'an object has no uid or no creation, and is left out',
};
