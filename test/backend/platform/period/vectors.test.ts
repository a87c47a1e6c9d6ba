import { expect, test } from 'vitest';
import {
  addDuration,
  durationFrom,
  isDivisibleBy,
  periodAt,
  recurrence,
} from '../../../../backend/platform/period/index.ts';
import { periodVectorsOf } from '../../../support/period-vectors.ts';

const iso = (atMs: number) => new Date(atMs).toISOString().replace('.000Z', 'Z');

test.each(periodVectorsOf('period_at'))('the period of an instant: $name', ({ anchor, interval, at, expected }) => {
  const { fromMs, toMs } = periodAt(recurrence(Date.parse(anchor), durationFrom(interval)), Date.parse(at));
  expect([iso(fromMs), iso(toMs)]).toEqual(expected);
});

test.each(periodVectorsOf('date_add'))('a date plus a duration: $name', ({ start, duration, expected }) => {
  expect(iso(addDuration(Date.parse(start), durationFrom(duration)))).toBe(expected);
});

test.each(periodVectorsOf('duration_divisible'))('divisibility: $name', ({ larger, smaller, expected }) => {
  expect(isDivisibleBy(durationFrom(larger), durationFrom(smaller))).toBe(expected);
});
