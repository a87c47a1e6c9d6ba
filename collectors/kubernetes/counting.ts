import type { CursorChange, SourceContext, SourceRecord } from '../core/source.ts';
import { instantText, secondsText } from './instants.ts';
import { textAt } from './json.ts';
import { pruned } from './life.ts';
import type { Row, Rows } from './rows.ts';
import type { Selector } from './selector.ts';
import { type Counting, isThrough, type Part, partsOf } from './slices.ts';
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
/** Records of a transaction, and what a message has at most in memory. */
const RECORDS_A_STEP = 2000;
/** Records between two marks of progress: what a kill makes count again, with the ids that they had. */
const RECORDS_A_PASS = 20_000;

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
  let objects = 1;

  return {
    async countTo(targetMs, isSilent, isCounting) {
      for (;;) {
        const fromMs = tracker.progress.closedMs;
        if (fromMs === undefined || fromMs >= targetMs || context.signal.aborted) return;
        const slices = Math.max(1, Math.floor(RECORDS_A_PASS / objects));
        const toMs = Math.min(targetMs, fromMs + slices * counting.intervalMs);
        if (!(await pass(fromMs, toMs, isSilent, isCounting))) return;
      }
    },
  };

  async function pass(fromMs: number, toMs: number, isSilent: boolean, isCounting: () => boolean): Promise<boolean> {
    let records: SourceRecord[] = [];
    let cursor: CursorChange[] = [];
    let count = 0;
    const take = async () => {
      if (records.length > 0) await context.take({ records, cursor });
      else if (cursor.length > 0) await context.take({ records, cursor });
      records = [];
      cursor = [];
    };
    for (let after = ''; ; ) {
      const page = rows.page(after, PAGE);
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.key;
      count += page.length;
      for (const { uid, row } of page) {
        if (!isSilent) {
          for (const record of recordsOf(uid, row, row.dueMs ?? fromMs, toMs)) {
            records.push(record);
            if (records.length < RECORDS_A_STEP) continue;
            if (!isCounting()) return false;
            await take();
          }
        }
        cursor.push(...settled(uid, row, toMs));
      }
    }
    if (!isCounting()) return false;
    cursor.push(rows.ofProgress(tracker.closed(toMs)));
    await take();
    objects = Math.max(1, count);
    return true;
  }

  /** What becomes of a row when its slices are counted. */
  function settled(uid: string, row: Row, toMs: number): CursorChange[] {
    const { dueMs, ...rest } = row;
    if (isThrough(row.life, toMs)) {
      const isGone = row.list === -1;
      return [rows.ofRow(uid, undefined), ...(isGone ? [] : [rows.ofDone(uid, row.list)])];
    }
    const life = pruned(row.life, toMs);
    return life === row.life && dueMs === undefined ? [] : [rows.ofRow(uid, { ...rest, life })];
  }

  function* recordsOf(uid: string, { life }: Row, fromMs: number, toMs: number): Generator<SourceRecord> {
    const nowMs = tracker.progress.seenMs ?? toMs;
    let sliceMs = -1;
    let index = 0;
    for (const part of partsOf(life, fromMs, toMs, nowMs, counting)) {
      index = part.sliceMs === sliceMs ? index + 1 : 0;
      sliceMs = part.sliceMs;
      // Whether it is selected is a matter of the version; its number is not.
      if (options.selector((part.version.body['metadata'] as { labels?: unknown }).labels)) {
        yield recordOf(uid, part, index);
      }
    }
  }

  function recordOf(uid: string, part: Part, index: number): SourceRecord {
    const from = instantText(part.livedFromMs);
    const seconds = secondsText(part.livedMs);
    const meta = {
      resource_type: options.resourceType,
      duration_seconds: seconds,
      interval_start: instantText(part.startMs),
      interval_end: instantText(part.endMs),
      ...(part.isEstimated && { end_estimated: 'true' }),
    };
    // A number and not the instant tells parts of a slice apart: who sees a change later must not count another part.
    const base = { meta, at: from, parts: [uid, instantText(part.sliceMs), String(index)] };
    try {
      return { ...base, message: messageOf(part, options.usage(part)) };
    } catch (error) {
      const reason = error instanceof TypeError ? error.message : String(error);
      const { body } = part.version;
      return { ...base, message: { metadata: { name: textAt(body, 'metadata', 'name') }, uid }, problem: reason };
    }
  }
}
