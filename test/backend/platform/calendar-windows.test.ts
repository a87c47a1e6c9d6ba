import { expect, test } from 'vitest';
import { type WindowSize, windowFinder } from '../../../backend/platform/calendar-windows.ts';

const HALF_HOUR_MS = 30 * 60_000;

/** Lord Howe Island moves its clocks by half an hour, Troll by two; Apia left a day out, Caracas moved for good. */
test.each([
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
  ['Antarctica/Troll', '2026-03-29T01:00:00Z'],
  ['Europe/Berlin', '2026-10-25T01:00:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
  ['America/Caracas', '2016-05-01T07:00:00Z'],
])('windows follow each other in %s around %s, whichever instant they are found by', (timeZone, change) => {
  for (const size of ['PT1H', 'P1D'] satisfies WindowSize[]) {
    const startMs = Date.parse(change) - 3 * 86_400_000;
    const untilMs = startMs + 6 * 86_400_000;
    let window = windowFinder(size, timeZone)(startMs);
    while (window.toMs < untilMs) {
      for (let atMs = window.fromMs; atMs < window.toMs; atMs += HALF_HOUR_MS) {
        expect(windowFinder(size, timeZone)(atMs)).toEqual(window);
      }
      const next = windowFinder(size, timeZone)(window.toMs);
      expect(new Date(next.fromMs).toISOString()).toBe(new Date(window.toMs).toISOString());
      window = next;
    }
  }
});

test('an hour in which the clocks change by half an hour is cut at the change', () => {
  const find = windowFinder('PT1H', 'Australia/Lord_Howe');
  const spans = ['2026-04-04T14:00:00Z', '2026-04-04T15:00:00Z', '2026-04-04T15:30:00Z', '2026-10-03T15:30:00Z'].map(
    (at) => {
      const { fromMs, toMs } = find(Date.parse(at));
      return [fromMs, toMs].map((ms) => new Date(ms).toISOString().slice(11, 16)).join('..');
    },
  );
  expect(spans).toEqual(['14:00..15:00', '15:00..15:30', '15:30..16:30', '15:30..16:00']);
});
