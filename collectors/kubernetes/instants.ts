import { at, listAt } from './json.ts';

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;
/** The zero of Go's time, year 1, means "not known"; and nothing here happened before there were such clusters. */
const EARLIEST_MS = Date.parse('1970-01-02T00:00:00Z');
const LATEST_MS = Date.parse('2200-01-01T00:00:00Z');

/** An instant as the API writes it, milliseconds since 1970; undefined for what is none. */
export function instantOf(value: unknown): number | undefined {
  if (typeof value !== 'string' || !RFC_3339.test(value)) return undefined;
  const ms = Date.parse(value);
  return ms >= EARLIEST_MS && ms <= LATEST_MS ? ms : undefined;
}

export function instantAt(value: unknown, ...path: readonly string[]): number | undefined {
  return instantOf(at(value, ...path));
}

/**
 * When an object was written last, by the API server's own clock. Every event of a watch is one write, so this is when it
 * happened, whenever it is read. (Who may write an object may also write this; so it is believed within bounds only.)
 */
export function writtenAt(object: unknown): number | undefined {
  const times = listAt(object, 'metadata', 'managedFields').flatMap((entry) => instantAt(entry, 'time') ?? []);
  return times.length === 0 ? undefined : times.reduce((a, b) => Math.max(a, b));
}

/** The borders of slices, which all objects have in common; writing one takes longer than all else that its record needs. */
const written = new Map<number, string>();
const MAX_WRITTEN = 1000;

/** `2026-11-30T01:00:00Z`, with a fraction only where there is one. */
export function instantText(ms: number): string {
  const known = written.get(ms);
  if (known !== undefined) return known;
  const text = new Date(ms).toISOString().replace('.000Z', 'Z');
  if (written.size >= MAX_WRITTEN) written.clear();
  written.set(ms, text);
  return text;
}

/** Whole milliseconds as seconds in decimal, exactly: 1500 is "1.5". */
export function secondsText(ms: number): string {
  const whole = Math.floor(ms / 1000);
  const rest = ms - whole * 1000;
  return rest === 0 ? `${whole}` : `${whole}.${String(rest).padStart(3, '0').replace(/0+$/, '')}`;
}
