/** Instants at our borders: RFC 3339 text outside, milliseconds since the epoch inside. */

// Upper-case T and Z and a mandatory offset, as Go's RFC 3339 parser (the reference implementation's) wants them.
const RFC_3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:Z|([+-])(\d{2}):(\d{2}))$/;

/**
 * Reads an RFC 3339 date-time.
 * @returns milliseconds since the epoch (digits below the millisecond are cut), or undefined when the text is not one,
 * the day does not exist (February 30), or it names a leap second.
 */
export function parseInstant(text: string): number | undefined {
  const match = RFC_3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, sign, offsetHour, offsetMinute] = match;
  const local = new Date(0);
  local.setUTCFullYear(int(year), int(month) - 1, int(day));
  // A day that does not exist rolls over into the next month.
  if (local.getUTCMonth() !== int(month) - 1 || local.getUTCDate() !== int(day)) return undefined;
  if (int(hour) > 23 || int(minute) > 59 || int(second) > 59) return undefined;
  if (int(offsetHour) > 23 || int(offsetMinute) > 59) return undefined;
  local.setUTCHours(int(hour), int(minute), int(second), int((fraction ?? '').padEnd(3, '0').slice(0, 3)));
  const offsetMs = (int(offsetHour) * 60 + int(offsetMinute)) * 60_000;
  return local.getTime() - (sign === '-' ? -offsetMs : offsetMs);
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

function int(digits: string | undefined): number {
  return digits === undefined || digits === '' ? 0 : Number.parseInt(digits, 10);
}
