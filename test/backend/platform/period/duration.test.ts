import { describe, expect, test } from 'vitest';
import {
  addDuration,
  durationFrom,
  formatDuration,
  intersection,
  parseDuration,
  recurrence,
  truncateToSeconds,
} from '../../../../backend/platform/period/index.ts';

const at = (text: string) => Date.parse(text);

describe('durations', () => {
  test.each([
    ['P1M', 'P1M'],
    ['P1Y2M3W4DT5H6M7S', 'P1Y2M3W4DT5H6M7S'],
    ['PT90M', 'PT90M'],
    ['P-3M', 'P-3M'],
    ['P3M-14D', 'P3M-14D'],
    ['-P1W', 'P-1W'],
    ['P0D', 'PT0S'],
    ['P12M', 'P12M'],
  ])('%s is read and written as %s', (text, written) => {
    expect(formatDuration(durationFrom(text))).toBe(written);
  });

  test.each([
    '',
    'P',
    'PT',
    'P1DT',
    '1M',
    'P1',
    'P1.5M',
    'PT0.5S',
    'P1M1Y',
    'P1H',
    'p1m',
    ' P1M',
    'P1M ',
    'P123456789D',
    'one month',
  ])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
    expect(() => durationFrom(text)).toThrow(RangeError);
  });

  test('the day is cut to the last one of the month once, after all months are added', () => {
    expect(addDuration(at('2025-01-31T10:00:00Z'), durationFrom('P1M'))).toBe(at('2025-02-28T10:00:00Z'));
    expect(addDuration(at('2025-01-31T10:00:00Z'), durationFrom('P1M'), 2)).toBe(at('2025-03-31T10:00:00Z'));
    expect(addDuration(at('2023-11-30T10:00:00Z'), durationFrom('P1M'), 3)).toBe(at('2024-02-29T10:00:00Z'));
    expect(addDuration(at('2024-02-29T10:00:00Z'), durationFrom('P1Y'), -1)).toBe(at('2023-02-28T10:00:00Z'));
  });
});

describe('recurrences and periods', () => {
  test.each(['PT0S', 'P-1M', 'P1MT-1H'])('%s does not recur', (text) => {
    expect(() => recurrence(0, durationFrom(text))).toThrow(RangeError);
  });

  test('stretches that only touch share nothing, and one without an end shares all that comes', () => {
    expect(intersection({ fromMs: 0, toMs: 10 }, { fromMs: 10, toMs: 20 })).toBeUndefined();
    expect(intersection({ fromMs: 0, toMs: 10 }, { fromMs: 4, toMs: undefined })).toEqual({ fromMs: 4, toMs: 10 });
    expect(intersection({ fromMs: 1, toMs: undefined }, { fromMs: 4, toMs: undefined })).toEqual({
      fromMs: 4,
      toMs: undefined,
    });
  });

  test('seconds are cut towards the past, before 1970 too', () => {
    expect(truncateToSeconds({ fromMs: 1999, toMs: -1 })).toEqual({ fromMs: 1000, toMs: -1000 });
  });
});
