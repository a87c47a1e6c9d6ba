import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  cadencesAlign,
  type IsoDuration,
  isAtLeastAnHour,
  isDivisibleBy,
  isSameDuration,
  parseIsoDuration,
} from '../../../backend/platform/iso-duration.ts';

interface Divisible {
  kind: 'duration_divisible';
  name: string;
  larger: string;
  smaller: string;
  expected: boolean;
}
const vectors = JSON.parse(readFileSync('test/fixtures/vectors/periods.json', 'utf8')) as (Divisible | { kind: '' })[];

function read(text: string): IsoDuration {
  const duration = parseIsoDuration(text);
  if (duration === undefined) throw new Error(`no duration: ${text}`);
  return duration;
}

test.each(vectors.filter((vector) => vector.kind === 'duration_divisible'))(
  '$name',
  ({ larger, smaller, expected }) => {
    expect(isDivisibleBy(read(larger), read(smaller))).toBe(expected);
  },
);

test('reads every unit', () => {
  expect(parseIsoDuration('P1Y2M3W4DT5H6M7S')).toEqual({
    years: 1,
    months: 2,
    weeks: 3,
    days: 4,
    hours: 5,
    minutes: 6,
    seconds: 7,
  });
  expect(parseIsoDuration('PT0S')).toMatchObject({ seconds: 0 });
  expect(parseIsoDuration('P100Y')).toMatchObject({ years: 100 });
});

test.each(['', 'P', 'PT', 'P1DT', '1M', 'p1m', 'P1.5M', 'PT0.5H', '-P1M', 'P-1M', 'P1M ', 'P101Y', 'PT9999999999999H'])(
  'does not read %j',
  (text) => {
    expect(parseIsoDuration(text)).toBeUndefined();
  },
);

test('an hour', () => {
  expect(['PT1H', 'PT60M', 'P1D', 'P1Y', 'PT59M60S'].map((text) => isAtLeastAnHour(read(text)))).toEqual(
    Array(5).fill(true),
  );
  expect(['PT59M59S', 'PT0S', 'P0Y'].map((text) => isAtLeastAnHour(read(text)))).toEqual(Array(3).fill(false));
});

test('the same length in every calendar', () => {
  expect(isSameDuration(read('P12M'), read('P1Y'))).toBe(true);
  expect(isSameDuration(read('P7D'), read('P1W'))).toBe(true);
  expect(isSameDuration(read('P1D'), read('PT24H'))).toBe(false);
  expect(isSameDuration(read('P4W'), read('P1M'))).toBe(false);
});

test.each([
  ['P1M', 'P1M', true],
  ['P1M', 'P1D', true],
  ['P1M', 'P1Y', true],
  ['P1Y', 'P12M', true],
  ['P1M', 'P1W', false],
  ['P1Y', 'P8M', false],
  ['P1M', 'PT0S', false],
])('plan cadence %s and card cadence %s', (plan, card, expected) => {
  expect(cadencesAlign(read(plan), read(card))).toBe(expected);
});
