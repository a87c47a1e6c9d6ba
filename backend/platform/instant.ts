/** Instants at our borders: RFC 3339 text outside, milliseconds since the epoch inside. */

// Upper-case T and Z and a mandatory offset, as Go's RFC 3339 parser (the reference implementation's) wants them.
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const ZERO = 48;
/** What has a text of its own in UTC: an offset may name an instant of the year -1 or 10000, which none of ours could read. */
const [FIRST_MS, LAST_MS] = [Date.UTC(-1, 12), Date.UTC(9999, 12) - 1];

/**
 * Reads an RFC 3339 date-time. Every event has one, so this reads digits at their places instead of captured groups.
 * @returns milliseconds since the epoch (digits below the millisecond are cut), or undefined when the text is not one,
 * the day does not exist (February 30), it names a leap second, or its year in UTC is not one of four digits.
 */
export function parseInstant(text: string): number | undefined {
  if (!RFC_3339.test(text)) return undefined;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return undefined;
  const [hour, minute, second] = [twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17)];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const offsetMs = readOffsetMs(text);
  if (offsetMs === undefined) return undefined;
  // Date.UTC takes years below 100 for those of the last century.
  const dayMs = year >= 100 ? Date.UTC(year, month - 1, day) : new Date(0).setUTCFullYear(year, month - 1, day);
  const atMs = dayMs + ((hour * 60 + minute) * 60 + second) * 1000 + readMilliseconds(text) - offsetMs;
  return atMs >= FIRST_MS && atMs <= LAST_MS ? atMs : undefined;
}

function twoDigits(text: string, at: number): number {
  return (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO;
}

function daysOf(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeap ? 29 : (DAYS_OF_MONTH[month - 1] ?? 0);
}

function readMilliseconds(text: string): number {
  if (text[19] !== '.') return 0;
  let milliseconds = 0;
  let isFraction = true;
  for (let at = 20; at < 23; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    isFraction &&= digit >= 0 && digit <= 9;
    milliseconds = milliseconds * 10 + (isFraction ? digit : 0);
  }
  return milliseconds;
}

function readOffsetMs(text: string): number | undefined {
  if (text.endsWith('Z')) return 0;
  const at = text.length - 6;
  const [hours, minutes] = [twoDigits(text, at + 1), twoDigits(text, at + 4)];
  if (hours > 23 || minutes > 59) return undefined;
  return (text[at] === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/** The RFC 3339 text in UTC of an instant in milliseconds: "2026-11-21T02:30:24Z", with a fraction only when there is one. */
export function formatInstant(atMs: number): string {
  const text = new Date(atMs).toISOString();
  return text.endsWith('.000Z') ? `${text.slice(0, -5)}Z` : text;
}

/**
 * The text of an instant as the databases keep it: fixed width, so that text sorts as time.
 * @param at milliseconds since the epoch, or RFC 3339 text that was checked before
 */
export function toStoredInstant(at: number | string): string {
  return new Date(typeof at === 'number' ? at : (parseInstant(at) ?? Number.NaN)).toISOString();
}

/** A stored instant as answers carry it. */
export function fromStoredInstant(text: string): string {
  return formatInstant(parseInstant(text) ?? Number.NaN);
}
