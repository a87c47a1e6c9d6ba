import { setImmediate } from 'node:timers/promises';
import type { CursorChange, SourceContext, SourceRecord } from '../core/source.ts';
import { instantText, secondsText } from './instants.ts';
import { textAt } from './json.ts';
import { type Life, pruned } from './life.ts';
import type { Row, Rows } from './rows.ts';
import type { Selector } from './selector.ts';
import { type Counting, isThrough, livedWithin, type Part, partsOf } from './slices.ts';
import type { Tracker } from './tracker.ts';
import { messageOf, type UsageOf } from './usage.ts';

export interface CountingOptions {
  readonly resourceType: string;
  readonly counting: Counting;
  readonly selector: Selector;
  readonly usage: UsageOf;
  readonly rows: Rows;
  readonly tracker: Tracker;
  readonly context: SourceContext;
}

const PAGE = 200;
/** Records of a transaction, about. */
const RECORDS_A_STEP = 1000;
/** Records between two marks of progress, about: what a kill makes count again, with the ids that they had. Each pass reads all
 * that is known, and works out once what each object takes. */
const RECORDS_A_PASS = 50_000;
/** Each pass reads all that is known, so those with little to count take more slices; so many in one are two weeks of minutes. */
const MOST_SLICES_A_PASS = 20_000;

/** Turns what is known into records, slice after slice. */
export interface SliceCounter {
  /**
   * Counts all slices up to an instant. `isCounting`: asked before each step; when it says no, nothing more is sent.
   * @param isSilent the slices are another's: they are passed over
   */
  countTo(closedMs: number, isSilent: boolean, isCounting: () => boolean): Promise<void>;
}

export function createSliceCounter(options: CountingOptions): SliceCounter {
  const { counting, rows, tracker, context } = options;
  let slices = 1;

  return {
    async countTo(targetMs, isSilent, isCounting) {
      for (;;) {
        const fromMs = tracker.progress.closedMs;
        if (fromMs === undefined || fromMs >= targetMs || context.signal.aborted) return;
        const toMs = Math.min(targetMs, fromMs + slices * counting.intervalMs);
        const made = await pass(fromMs, toMs, isSilent, isCounting);
        if (made === undefined) return;
        if (made > RECORDS_A_PASS) slices = Math.max(1, Math.floor(slices / 2));
        else if (made < RECORDS_A_PASS / 2) slices = Math.min(MOST_SLICES_A_PASS, slices * 2);
      }
    },
  };

  /** @returns how many records it made; undefined when they are not ours to count any more */
  async function pass(
    fromMs: number,
    toMs: number,
    isSilent: boolean,
    isCounting: () => boolean,
  ): Promise<number | undefined> {
    const nowMs = tracker.progress.seenMs ?? toMs;
    let stretches: Stretch[] = [];
    let cursor: CursorChange[] = [];
    let waiting = 0;
    let made = 0;
    const take = async (): Promise<boolean> => {
      if (!isCounting()) return false;
      const step = { records: recordsOf(options, stretches, nowMs), cursor };
      made += waiting;
      stretches = [];
      cursor = [];
      waiting = 0;
      await context.take(step);
      return true;
    };
    for (let after = ''; ; ) {
      const page = rows.page(after, PAGE);
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.key;
      for (const { uid, row } of page) {
        for (const stretch of isSilent ? [] : stretchesOf(uid, row.life, row.dueMs ?? fromMs, toMs, nowMs, counting)) {
          stretches.push(stretch);
          waiting += Math.ceil((stretch.toMs - stretch.fromMs) / counting.intervalMs);
          if (waiting >= RECORDS_A_STEP && !(await take())) return undefined;
        }
        cursor.push(...settled(rows, uid, row, toMs));
      }
      // A cluster's worth of ends, or of others' slices, makes no records.
      if (cursor.length < RECORDS_A_STEP) await setImmediate();
      else if (!(await take())) return undefined;
    }
    if (!isCounting()) return undefined;
    cursor.push(rows.ofProgress(tracker.closed(toMs)));
    return (await take()) ? made : undefined;
  }
}

/** What becomes of a row when its slices are counted. */
function settled(rows: Rows, uid: string, row: Row, toMs: number): CursorChange[] {
  const { dueMs, ...rest } = row;
  if (isThrough(row.life, toMs)) {
    const isGone = row.list === -1;
    return [rows.ofRow(uid, undefined), ...(isGone ? [] : [rows.ofDone(uid, row.list)])];
  }
  const life = pruned(row.life, toMs);
  return life === row.life && dueMs === undefined ? [] : [rows.ofRow(uid, { ...rest, life })];
}

/** Slices of an object that have been lived. */
interface Stretch {
  readonly uid: string;
  readonly life: Life;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Each of as many slices as make a step. */
function* stretchesOf(
  uid: string,
  life: Life,
  dueMs: number,
  closedMs: number,
  nowMs: number,
  counting: Counting,
): Generator<Stretch> {
  const lived = livedWithin(life, dueMs, closedMs, nowMs, counting);
  const stepMs = RECORDS_A_STEP * counting.intervalMs;
  for (let fromMs = lived.fromMs; fromMs < lived.toMs; fromMs += stepMs) {
    yield { uid, life, fromMs, toMs: Math.min(lived.toMs, fromMs + stepMs) };
  }
}

/** Each is made when it is read, and gone again before the next. */
function recordsOf(options: CountingOptions, stretches: readonly Stretch[], nowMs: number): Iterable<SourceRecord> {
  return {
    *[Symbol.iterator]() {
      for (const stretch of stretches) yield* recordsIn(options, stretch, nowMs);
    },
  };
}

function* recordsIn(
  options: CountingOptions,
  { uid, life, fromMs, toMs }: Stretch,
  nowMs: number,
): Generator<SourceRecord> {
  const { counting, selector } = options;
  let sliceMs = -1;
  let index = 0;
  for (const part of partsOf(life, fromMs, toMs, nowMs, counting)) {
    index = part.sliceMs === sliceMs ? index + 1 : 0;
    sliceMs = part.sliceMs;
    // Whether it is selected is a matter of the version; its number is not.
    if (selector((part.version.body['metadata'] as { labels?: unknown }).labels)) {
      yield recordOf(options, uid, part, index);
    }
  }
}

function recordOf(options: CountingOptions, uid: string, part: Part, index: number): SourceRecord {
  const from = instantText(part.livedFromMs);
  const seconds = () => secondsText(part.livedMs);
  // A number and not the instant tells parts of a slice apart: who sees a change later must not count another part.
  const parts = [uid, instantText(part.sliceMs), String(index)];
  const made = madeOf(part, uid, options.usage);
  return {
    message: made.message,
    problem: made.problem,
    at: from,
    parts,
    // Most mappings do not ask for it.
    get meta() {
      return {
        resource_type: options.resourceType,
        duration_seconds: seconds(),
        interval_start: instantText(part.startMs),
        interval_end: instantText(part.endMs),
        ...(part.isEstimated && { end_estimated: 'true' }),
      };
    },
  };
}

function madeOf(part: Part, uid: string, usage: UsageOf): { readonly message: unknown; readonly problem?: string } {
  try {
    return { message: messageOf(part, usage(part)) };
  } catch (error) {
    const problem = error instanceof TypeError ? error.message : String(error);
    return { message: { metadata: { name: textAt(part.version.body, 'metadata', 'name') }, uid }, problem };
  }
}
