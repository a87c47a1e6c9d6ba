import type { Schedule } from '../core/schedule.ts';
import type { CursorChange, SourceContext } from '../core/source.ts';
import type { States } from './states.ts';

export interface ProgressSettings {
  readonly schedule: Schedule;
  /** A slice is over so long after its end. */
  readonly offsetMs: number;
  /** What a new collector begins with; undefined = with now. */
  readonly sinceMs: number | undefined;
}

/** How far all of a source has been taken. */
export interface Progress {
  /** The last tick that is over, at a time by the server's clock; the first one called for is where a new collector begins. */
  closedMs(nowMs: number): Promise<number>;
  /** Where the collector began. */
  beginMs(): number;
  /** Up to where all has been taken of everything. */
  lowestMs(): number;
  /** Everything that is not followed has been taken up to here. */
  taken(closedMs: number): Promise<void>;
  /** What ended before it is remembered no longer, and is not to be taken for something new. */
  forgottenMs(): number;
  /** What need not be remembered any longer, now and then. */
  forgettable(): Generator<readonly CursorChange[]>;
  /** How many are not where the others are. */
  open(): number;
  msToNextTick(): number;
}

const BEGIN = 'begin';
const UP_TO = 'up_to';
const FORGOTTEN = 'forgotten';
const DAY_MS = 86_400_000;
const FORGET_EVERY_MS = 3_600_000;

export function openProgress(settings: ProgressSettings, states: States, context: SourceContext): Progress {
  const { schedule, offsetMs, sinceMs } = settings;
  const { cursor, take, clock } = context;
  const read = (key: string) => {
    const text = cursor.get(key);
    return text === undefined ? undefined : Number.parseInt(text, 10);
  };
  let begin = read(BEGIN);
  let upTo = read(UP_TO);
  let forgotten = read(FORGOTTEN) ?? 0;
  let forgottenAt = Number.NEGATIVE_INFINITY;
  /** The server's clock, and ours at that moment. */
  let asked = { nowMs: 0, at: 0 };

  const lowestMs = () => {
    let lowest = upTo ?? begin ?? 0;
    for (const one of states.followed.values()) lowest = Math.min(lowest, one);
    return lowest;
  };
  const save = (key: string, value: number) => take({ records: [], cursor: [{ key, value: String(value) }] });

  return {
    async closedMs(nowMs) {
      asked = { nowMs, at: clock.now() };
      const closedMs = schedule.atOrBefore(nowMs - offsetMs) ?? 0;
      if (begin === undefined) {
        begin = Math.min(closedMs, sinceMs === undefined ? closedMs : (schedule.atOrBefore(sinceMs) ?? closedMs));
        await save(BEGIN, begin);
      }
      return closedMs;
    },
    beginMs: () => begin ?? 0,
    lowestMs,
    async taken(closedMs) {
      if (upTo !== undefined && closedMs <= upTo) return;
      await save(UP_TO, closedMs);
      upTo = closedMs;
    },
    forgottenMs: () => forgotten,
    *forgettable() {
      if (clock.now() - forgottenAt < FORGET_EVERY_MS) return;
      forgottenAt = clock.now();
      // By a day more than lists are asked back: something may prove to have been alive later than others were taken.
      const beforeMs = lowestMs() - DAY_MS;
      if (beforeMs <= forgotten) return;
      forgotten = beforeMs;
      yield [{ key: FORGOTTEN, value: String(beforeMs) }];
      yield* states.forgettable(beforeMs);
    },
    open() {
      let count = 0;
      for (const one of states.followed.values()) if (one < (upTo ?? 0)) count++;
      return count;
    },
    msToNextTick() {
      const nowMs = asked.nowMs + clock.now() - asked.at;
      const next = schedule.after(asked.nowMs - offsetMs);
      return next === undefined ? DAY_MS : next + offsetMs - nowMs;
    },
  };
}
