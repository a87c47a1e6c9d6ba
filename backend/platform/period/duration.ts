/**
 * A duration of the calendar (ISO 8601): "P1M" has no fixed length, so the parts are kept apart. Each is a whole number;
 * negative ones go back in time.
 */
export interface Duration {
  years: number;
  months: number;
  weeks: number;
  days: number;
  hours: number;
  minutes: number;
  seconds: number;
}

const UNITS = ['years', 'months', 'weeks', 'days', 'hours', 'minutes', 'seconds'] as const;
const DATE_LETTERS = ['Y', 'M', 'W', 'D'] as const;
const TIME_LETTERS = ['H', 'M', 'S'] as const;
const DURATION =
  /^([+-]?)P(?:([+-]?\d+)Y)?(?:([+-]?\d+)M)?(?:([+-]?\d+)W)?(?:([+-]?\d+)D)?(?:T(?:([+-]?\d+)H)?(?:([+-]?\d+)M)?(?:([+-]?\d+)S)?)?$/;

/** A part has at most this many digits: a hundred million seconds are three years, and instants never overflow. */
const MAX_PART_DIGITS = 8;
const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

/**
 * Reads "P1M", "P1Y2M10DT5H30M45S", "P-3M", "-P1W". Fractions are not durations that a calendar can repeat.
 * @returns undefined when the text is none
 */
export function parseDuration(text: string): Duration | undefined {
  const match = DURATION.exec(text);
  if (match === null || text.endsWith('P') || text.endsWith('T')) return undefined;
  const [, sign, ...parts] = match;
  if (parts.some((part) => part !== undefined && part.replace(/^[+-]/, '').length > MAX_PART_DIGITS)) return undefined;
  const numbers = parts.map((part) => Number.parseInt(part ?? '0', 10) * (sign === '-' ? -1 : 1) + 0);
  return durationOf(numbers);
}

/** Reads a duration that was checked before. @throws RangeError when the text is none */
export function durationFrom(text: string): Duration {
  const duration = parseDuration(text);
  if (duration === undefined) throw new RangeError(`not an ISO 8601 duration: ${JSON.stringify(text)}`);
  return duration;
}

function durationOf(numbers: readonly number[]): Duration {
  const [years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = numbers;
  return { years, months, weeks, days, hours, minutes, seconds };
}

/** The ISO 8601 text: the parts as they are, without those that are zero; "PT0S" for nothing. */
export function formatDuration(duration: Duration): string {
  const parts = UNITS.map((unit) => duration[unit]);
  const write = (letters: readonly string[], numbers: readonly number[]) =>
    letters.map((letter, index) => ((numbers[index] ?? 0) === 0 ? '' : `${numbers[index]}${letter}`)).join('');
  const date = write(DATE_LETTERS, parts.slice(0, 4));
  const time = write(TIME_LETTERS, parts.slice(4));
  if (date === '' && time === '') return 'PT0S';
  return `P${date}${time === '' ? '' : `T${time}`}`;
}

/**
 * `atMs + times × duration`, in UTC: first the months together, with the day cut to the month's last one, then days,
 * then the time. Multiplying before adding is what keeps a month-end anchor: January 31 plus twice P1M is March 31,
 * while adding P1M twice would give March 28.
 */
export function addDuration(atMs: number, duration: Duration, times = 1): number {
  const months = (duration.years * 12 + duration.months) * times;
  return (months === 0 ? atMs : addMonths(atMs, months)) + fixedLengthMs(duration) * times;
}

/** The part of the duration whose length does not depend on the calendar, in milliseconds. A day of UTC has 24 hours. */
export function fixedLengthMs(duration: Duration): number {
  const seconds = (duration.hours * 60 + duration.minutes) * 60 + duration.seconds;
  return (duration.weeks * 7 + duration.days) * DAY_MS + seconds * SECOND_MS;
}

/** `a + times × b`, part by part: P1M and P14D are P1M14D. */
export function plusDuration(a: Duration, b: Duration, times = 1): Duration {
  return durationOf(UNITS.map((unit) => a[unit] + times * b[unit]));
}

/** Years and months of the duration, in months. */
export function calendarMonths(duration: Duration): number {
  return duration.years * 12 + duration.months;
}

function addMonths(atMs: number, months: number): number {
  const date = new Date(atMs);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  const lastDay = new Date(date);
  lastDay.setUTCMonth(lastDay.getUTCMonth() + 1, 0);
  date.setUTCDate(Math.min(day, lastDay.getUTCDate()));
  return date.getTime();
}
