import type { Clock, Timer } from './clock.ts';
import type { Fields, Level, Log } from './log.ts';

/** One kind of thing that may happen thousands of times a second and is worth a line a minute. */
export interface Occurrence {
  /** What is held to one line a minute; occurrences of a key share level and msg. */
  readonly key: string;
  readonly level: Level;
  readonly msg: string;
  readonly fields?: Fields;
  /** How many of them this is; 1 when absent. */
  readonly count?: number;
}

export interface RareLog {
  /** Logs the first at once, and what follows within the minute as one line at its end, with their `count`. */
  note(occurrence: Occurrence): void;
  /** Logs what has been held back, for the end of the process. */
  flush(): void;
}

const INTERVAL_MS = 60_000;

interface Held {
  latest: Occurrence;
  count: number;
  timer: Timer;
}

/** A log that is held to one line a minute per key. `count` on a line = occurrences since the line before. */
export function createRareLog(log: Log, clock: Clock): RareLog {
  // A key stays for a minute after its last line, so the map is bounded by what can happen in a minute: the reasons of
  // the drop ledger and a handful of messages per Delivery.
  const held = new Map<string, Held>();

  function write({ level, msg, fields }: Occurrence, count: number): void {
    log(level, msg, { ...fields, count });
  }

  function startMinute(key: string): Timer {
    return clock.setTimer(() => endMinute(key), INTERVAL_MS, { background: true });
  }

  function endMinute(key: string): void {
    const entry = held.get(key);
    if (entry === undefined) return;
    if (entry.count === 0) {
      held.delete(key);
      return;
    }
    write(entry.latest, entry.count);
    entry.count = 0;
    entry.timer = startMinute(key);
  }

  return {
    note(occurrence) {
      const count = occurrence.count ?? 1;
      const entry = held.get(occurrence.key);
      if (entry === undefined) {
        held.set(occurrence.key, { latest: occurrence, count: 0, timer: startMinute(occurrence.key) });
        write(occurrence, count);
        return;
      }
      entry.latest = occurrence;
      entry.count += count;
    },
    flush() {
      for (const entry of held.values()) {
        entry.timer.cancel();
        if (entry.count > 0) write(entry.latest, entry.count);
      }
      held.clear();
    },
  };
}
