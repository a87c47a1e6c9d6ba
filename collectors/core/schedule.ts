import { Cron } from 'croner';

/**
 * Instants that repeat by the calendar in UTC: they say where one slice of time ends and the next begins, so they depend on
 * nothing but the text that they were made of, never on when somebody started or looked.
 */
export interface Schedule {
  /** Milliseconds between ticks, when that is always the same; undefined = it is not. */
  readonly everyMs: number | undefined;
  /** The first tick after an instant, milliseconds since 1970; undefined = there is none. */
  after(ms: number): number | undefined;
  /** The last tick at or before an instant. */
  atOrBefore(ms: number): number | undefined;
}

const SECOND_MS = 1000;
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: SECOND_MS, m: 60_000, h: 3_600_000 };
const RULE = 'must be a cron expression of six fields, seconds first, such as "0 * * * * *", or such as "@every 1m"';

/**
 * Reads `0 * * * * *` (cron with seconds) or `@every 1m30s`, whose ticks are whole multiples since 1970.
 * @throws TypeError that says the rule
 */
export function parseSchedule(text: string): Schedule {
  const [, span] = /^@every\s+(\S+)$/.exec(text.trim()) ?? [];
  if (span !== undefined) return evenly(0, spanOf(span));
  const cron = cronOf(text);
  const first = cron.nextRun(new Date(0))?.getTime();
  if (first === undefined) throw new TypeError('never comes');
  const everyMs = evennessOf(cron, text, first);
  return everyMs === undefined ? unevenly(cron) : evenly(first % everyMs, everyMs);
}

function cronOf(text: string): Cron {
  try {
    return new Cron(text.trim(), { mode: '6-part', timezone: 'UTC', paused: true });
  } catch {
    throw new TypeError(RULE);
  }
}

function spanOf(text: string): number {
  if (!/^(?:\d{1,9}(?:ms|s|m|h))+$/.test(text)) throw new TypeError(RULE);
  let ms = 0;
  for (const [, count = '', unit = ''] of text.matchAll(/(\d+)(ms|s|m|h)/g)) {
    ms += Number.parseInt(count, 10) * (UNITS_MS[unit] ?? 0);
  }
  if (ms < SECOND_MS || ms % SECOND_MS !== 0) throw new TypeError('must be whole seconds, one at least');
  return ms;
}

/** By arithmetic: a month of minutes is asked for after an outage. */
function evenly(phaseMs: number, everyMs: number): Schedule {
  const atOrBefore = (ms: number) => Math.floor((ms - phaseMs) / everyMs) * everyMs + phaseMs;
  return { everyMs, atOrBefore, after: (ms) => atOrBefore(ms) + everyMs };
}

function unevenly(cron: Cron): Schedule {
  const second = (ms: number) => Math.floor(ms / SECOND_MS) * SECOND_MS;
  return {
    everyMs: undefined,
    after: (ms) => cron.nextRun(new Date(second(ms)))?.getTime(),
    atOrBefore: (ms) => cron.previousRuns(1, new Date(second(ms) + SECOND_MS))[0]?.getTime(),
  };
}

/**
 * The ticks of a day are all pairings of its seconds, minutes and hours. They are evenly apart when one of the three repeats
 * evenly, those below it have one value, and those above it have all.
 */
function evennessOf(cron: Cron, text: string, first: number): number | undefined {
  if (!/^\S+\s+\S+\s+\S+(?:\s+[*?]){3}$/.test(text.trim())) return undefined;
  const at = new Date(first);
  const day = Math.floor(first / 86_400_000) * 86_400_000;
  const placeOf = (hour: number, minute: number, sec: number) => day + ((hour * 60 + minute) * 60 + sec) * SECOND_MS;
  const [hour, minute, sec] = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()];
  const matching = (count: number, at: (value: number) => number) =>
    Array.from({ length: count }, (_, value) => value).filter((value) => cron.match(new Date(at(value))));
  const seconds = matching(60, (value) => placeOf(hour, minute, value));
  const minutes = matching(60, (value) => placeOf(hour, value, sec));
  const hours = matching(24, (value) => placeOf(value, minute, sec));
  if (seconds.length > 1) {
    const isAlways = minutes.length === 60 && hours.length === 24;
    return isAlways ? stepOf(seconds, 60, SECOND_MS) : undefined;
  }
  if (minutes.length > 1) return hours.length === 24 ? stepOf(minutes, 60, 60_000) : undefined;
  return stepOf(hours, 24, 3_600_000);
}

function stepOf(values: readonly number[], round: number, unitMs: number): number | undefined {
  const step = round / values.length;
  const isEven = values.every((value, index) => value === (values[0] ?? 0) + index * step);
  return isEven ? step * unitMs : undefined;
}
