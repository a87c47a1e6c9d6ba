import { expect, test } from 'vitest';
import { parseSchedule } from '../../collectors/core/schedule.ts';

const at = (instant: string) => Date.parse(instant);
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());

test.each([
  ['0 * * * * *', 60_000],
  ['*/30 * * * * *', 30_000],
  ['5,35 * * * * *', 30_000],
  ['* * * * * *', 1000],
  ['0 */15 * * * *', 900_000],
  ['30 5 * * * *', 3_600_000],
  ['0 0 */6 * * *', 21_600_000],
  ['0 0 3 * * *', 86_400_000],
  ['@every 90s', 90_000],
  ['@every 1h30m', 5_400_000],
  ['*/7 * * * * *', undefined],
  ['0 */7 * * * *', undefined],
  ['0,30 0 * * * *', undefined],
  ['0 0 9-17 * * *', undefined],
  ['0 0 0 1 * *', undefined],
  ['0 0 0 * * 1', undefined],
])('%s is evenly apart by %s', (text, everyMs) => {
  const schedule = parseSchedule(text);
  expect(schedule.everyMs).toBe(everyMs);
  // Whatever it is made of, a thousand ticks follow one another, forwards and backwards alike.
  let tick = schedule.after(at('2026-11-30T10:20:30.400Z')) as number;
  for (let count = 0; count < 1000; count++) {
    const next = schedule.after(tick) as number;
    if (everyMs !== undefined) expect(next - tick).toBe(everyMs);
    expect(next).toBeGreaterThan(tick);
    expect(schedule.atOrBefore(next)).toBe(next);
    expect(schedule.atOrBefore(next - 1)).toBe(tick);
    tick = next;
  }
});

test('ticks stand where the calendar in UTC has them', () => {
  const now = at('2026-11-30T10:20:30.400Z');
  expect(iso(parseSchedule('0 0 0 1 * *').after(now))).toBe('2026-12-01T00:00:00.000Z');
  expect(iso(parseSchedule('0 0 0 1 * *').atOrBefore(now))).toBe('2026-11-01T00:00:00.000Z');
  expect(iso(parseSchedule('15 0 * * * *').atOrBefore(now))).toBe('2026-11-30T10:00:15.000Z');
  expect(iso(parseSchedule('@every 1m').after(now))).toBe('2026-11-30T10:21:00.000Z');
});

test.each(['* * * * *', 'hourly', '@every 1500ms', '@every 0s', '@every 1 m', '0 0 0 30 2 *', ''])(
  '%j is refused',
  (text) => {
    expect(() => parseSchedule(text)).toThrow(TypeError);
  },
);
