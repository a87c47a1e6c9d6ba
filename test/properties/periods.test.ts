import { Temporal } from 'temporal-polyfill';
import { expect, test } from 'vitest';
import {
  addDuration,
  boundaryIndexAt,
  boundaryMs,
  type Duration,
  durationFrom,
  formatDuration,
  isDivisibleBy,
  periodAt,
  periodsWithin,
  recurrence,
} from '../../backend/platform/period/index.ts';
import { fc } from '../support/property.ts';

const numRuns = process.env['LONG'] ? 100_000 : 1_000;
const DAY_MS = 86_400_000;

const instant = fc.integer({ min: Date.parse('1990-01-01T00:00:00Z'), max: Date.parse('2110-01-01T00:00:00Z') });
/** Half of them on the last days of a month, February of leap years among them. */
const anchor = fc.oneof(
  instant,
  fc
    .tuple(fc.integer({ min: 2019, max: 2032 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 3 }))
    .map(([year, month, back]) => Date.UTC(year, month, -back, 15, 30, 7, 123)),
);
const cadence = fc.constantFrom('P1W', 'P2W', 'P4W', 'P1M', 'P3M', 'P6M', 'P12M', 'P1Y', 'P1D', 'P3D', 'PT1H', 'P45D');
const interval = fc.oneof(
  cadence.map(durationFrom),
  fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 40 }))
    .filter((parts) => parts.some((part) => part > 0))
    .map(([years, months, days]) => durationFrom(`P${years}Y${months}M${days}D`)),
);
const lasting = fc.integer({ min: 1, max: 900 * DAY_MS });

const utc = (atMs: number) => Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO('UTC');
const times = (duration: Duration, n: number) =>
  Temporal.Duration.from({
    months: (duration.years * 12 + duration.months) * n,
    days: (duration.weeks * 7 + duration.days) * n,
    seconds: ((duration.hours * 60 + duration.minutes) * 60 + duration.seconds) * n,
  });

test('adding a duration n times over agrees with Temporal', () => {
  fc.assert(
    fc.property(anchor, interval, fc.integer({ min: -200, max: 200 }), (atMs, duration, n) => {
      expect(addDuration(atMs, duration, n)).toBe(utc(atMs).add(times(duration, n)).epochMilliseconds);
    }),
    { numRuns },
  );
});

test('every instant lies in exactly the period that is found for it', () => {
  fc.assert(
    fc.property(anchor, interval, instant, (anchorMs, every, atMs) => {
      const recurring = recurrence(anchorMs, every);
      const n = boundaryIndexAt(recurring, atMs);
      const period = periodAt(recurring, atMs);
      expect(period).toEqual({ fromMs: boundaryMs(recurring, n), toMs: boundaryMs(recurring, n + 1) });
      expect(period.fromMs).toBeLessThanOrEqual(atMs);
      expect(period.toMs).toBeGreaterThan(atMs);
      expect(periodAt(recurring, period.toMs).fromMs).toBe(period.toMs);
      expect(periodAt(recurring, period.toMs - 1)).toEqual(period);
    }),
    { numRuns },
  );
});

test('periods tile a stretch of time from its start to its end, each of them on boundaries inside', () => {
  fc.assert(
    fc.property(
      anchor,
      cadence.filter((text) => text !== 'PT1H').map(durationFrom),
      instant,
      lasting,
      (anchorMs, every, fromMs, lengthMs) => {
        const recurring = recurrence(anchorMs, every);
        const toMs = fromMs + lengthMs;
        const periods = [...periodsWithin(recurring, { fromMs, toMs })];
        expect(periods[0]?.fromMs).toBe(fromMs);
        expect(periods.at(-1)?.toMs).toBe(toMs);
        for (const [index, period] of periods.entries()) {
          expect(period.toMs).toBeGreaterThan(period.fromMs);
          const full = periodAt(recurring, period.fromMs);
          expect(period.toMs).toBe(Math.min(full.toMs, toMs));
          if (index > 0) expect([period.fromMs, full.fromMs]).toEqual([periods[index - 1]?.toMs, period.fromMs]);
        }
      },
    ),
    { numRuns: numRuns / 4 },
  );
});

test('a month-end anchor never drifts: each boundary lies on its day, or on the last one of a shorter month', () => {
  fc.assert(
    fc.property(anchor, fc.constantFrom(1, 2, 3, 6, 12), fc.integer({ min: -600, max: 600 }), (anchorMs, months, n) => {
      const start = utc(anchorMs);
      const boundary = utc(boundaryMs(recurrence(anchorMs, durationFrom(`P${months}M`)), n));
      expect(boundary.day).toBe(Math.min(start.day, boundary.daysInMonth));
      expect(boundary.toPlainTime().equals(start.toPlainTime())).toBe(true);
      expect((boundary.year - start.year) * 12 + boundary.month - start.month).toBe(n * months);
    }),
    { numRuns },
  );
});

test('of two cadences where one divides the other, every boundary of the longer is one of the shorter, for any anchor', () => {
  const months = fc.integer({ min: 1, max: 36 }).map((count) => durationFrom(`P${count}M`));
  const days = fc.integer({ min: 1, max: 60 }).map((count) => durationFrom(`P${count}D`));
  fc.assert(
    fc.property(anchor, fc.oneof(fc.tuple(months, months), fc.tuple(days, days)), fc.nat(60), (anchorMs, [a, b], n) => {
      fc.pre(isDivisibleBy(a, b));
      const atMs = boundaryMs(recurrence(anchorMs, a), n);
      expect(periodAt(recurrence(anchorMs, b), atMs).fromMs).toBe(atMs);
    }),
    { numRuns: numRuns / 4, maxSkipsPerRun: 1000 },
  );
});

test('a duration that is written reads as the same duration', () => {
  fc.assert(
    fc.property(interval, (duration) => {
      expect(durationFrom(formatDuration(duration))).toEqual(duration);
    }),
    { numRuns: numRuns / 4 },
  );
});
