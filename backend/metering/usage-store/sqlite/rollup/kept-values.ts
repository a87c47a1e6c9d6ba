import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import { hashIdentity, hashNumber, type IdentityHash } from '../dedupe/identity-hash.ts';

/**
 * The values of one dimension that its series keeps apart: the first ones that come, up to a maximum. What comes when
 * there is no more room is counted together, which makes the dimension "wide"; a query that needs those values reads the
 * events of the quarters of an hour where they occurred. It is decided by this dimension's own values alone. One that
 * was not seen for a week gives up its place to a new one, so that a dimension that was flooded recovers by itself;
 * what was counted by it stays.
 */
export interface KeptValues {
  /** Whether the value has a place, or gets one. To be called inside the transaction that uses it. */
  keeps(text: string): boolean;
}

const DAYS_UNTIL_GIVEN_UP = 7;

export function openKeptValues(
  db: Sqlite,
  { series, name, max, today }: { series: number; name: string; max: number; today: () => number },
): KeptValues {
  const seed = db.prepare('SELECT hash_seed FROM store').pluck().get() as number;
  const put = db.prepare('INSERT OR REPLACE INTO rollup_values VALUES (?, ?, ?, ?)');
  const giveUp = db.prepare('DELETE FROM rollup_values WHERE series = ? AND dimension = ? AND day < ?');
  const stored = db.prepare('SELECT hash, day FROM rollup_values WHERE series = ? AND dimension = ?').raw();
  // By their hashes: long values then cost as little as short ones. Two with the same hash would be kept both.
  const days = new Map(stored.all(series, name) as [hash: number, day: number][]);
  const setWide = prepareSetWide(db, series, name);
  const hash: IdentityHash = { high: 0, low: 0 };
  /** The last day that room was looked for in vain. */
  let fullOn: number | undefined;
  let isWide = setWide.before;

  const hasRoom = (day: number): boolean => {
    if (days.size < max) return true;
    if (fullOn === day) return false;
    const before = day - DAYS_UNTIL_GIVEN_UP;
    giveUp.run(series, name, before);
    for (const [value, lastDay] of days) if (lastDay < before) days.delete(value);
    if (days.size >= max) fullOn = day;
    return days.size < max;
  };
  const markWide = (wide: boolean): void => {
    if (isWide !== wide) setWide.to(wide);
    isWide = wide;
  };

  return {
    keeps(text) {
      hashIdentity(name, text, seed, hash);
      const value = hashNumber(hash);
      const day = today();
      const lastDay = days.get(value);
      if (lastDay === undefined && !hasRoom(day)) {
        markWide(true);
        return false;
      }
      if (lastDay === undefined) markWide(false);
      if (lastDay !== day) {
        days.set(value, day);
        put.run(series, name, value, day);
      }
      return true;
    },
  };
}

/** Which dimensions are wide now stands with their series, for people. */
function prepareSetWide(db: Sqlite, series: number, name: string): { before: boolean; to(wide: boolean): void } {
  const read = db.prepare('SELECT wide FROM rollup_series WHERE series = ?').pluck();
  const write = db.prepare('UPDATE rollup_series SET wide = ? WHERE series = ?');
  const all = (): string[] => JSON.parse((read.get(series) as string | undefined) ?? '[]') as string[];
  return {
    before: all().includes(name),
    to: (wide) => {
      const others = all().filter((other) => other !== name);
      write.run(JSON.stringify(wide ? [...others, name].sort() : others), series);
    },
  };
}
