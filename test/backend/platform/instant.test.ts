import { describe, expect, test } from 'vitest';
import { formatInstant, parseInstant } from '../../../backend/platform/instant.ts';
import { fc } from '../../support/property.ts';

describe('parseInstant', () => {
  test.each([
    ['2026-11-21T01:59:12Z', Date.UTC(2026, 10, 21, 1, 59, 12)],
    ['2026-11-21T01:59:12.5Z', Date.UTC(2026, 10, 21, 1, 59, 12, 500)],
    ['2026-11-21T01:59:12.05Z', Date.UTC(2026, 10, 21, 1, 59, 12, 50)],
    ['2026-11-21T01:59:12.0009Z', Date.UTC(2026, 10, 21, 1, 59, 12)],
    ['2026-11-21T01:59:12.1+05:45', Date.UTC(2026, 10, 20, 20, 14, 12, 100)],
    ['2024-02-29T00:00:00-00:00', Date.UTC(2024, 1, 29)],
    ['2000-02-29T00:00:00Z', Date.UTC(2000, 1, 29)],
    ['0000-01-01T00:00:00Z', Date.parse('0000-01-01T00:00:00Z')],
    ['0099-12-31T23:59:59Z', Date.parse('0099-12-31T23:59:59Z')],
    ['9999-12-31T23:59:59.999Z', Date.parse('9999-12-31T23:59:59.999Z')],
    ['9999-12-31T23:59:59.999+23:59', Date.parse('9999-12-31T00:00:59.999Z')],
  ])('%s', (text, expected) => {
    expect(parseInstant(text)).toBe(expected);
  });

  test.each([
    '',
    '2026-11-21',
    '2026-11-21T01:59:12',
    '2026-11-21t01:59:12z',
    '2026-11-21 01:59:12Z',
    '2026-11-21T01:59Z',
    '2026-11-21T01:59:12.Z',
    '2026-11-21T01:59:12,5Z',
    '2026-11-21T01:59:60Z',
    '2026-11-21T24:00:00Z',
    '2026-11-21T01:60:00Z',
    '2026-00-21T01:59:12Z',
    '2026-13-21T01:59:12Z',
    '2026-11-00T01:59:12Z',
    '2026-11-31T01:59:12Z',
    '2025-02-29T01:59:12Z',
    '1900-02-29T01:59:12Z',
    '2026-11-21T01:59:12+24:00',
    '2026-11-21T01:59:12+01:60',
    '2026-11-21T01:59:12+0100',
    ' 2026-11-21T01:59:12Z',
    '2026-11-21T01:59:12Z ',
    '12026-11-21T01:59:12Z',
    // In UTC they are of a year that no text of four digits has.
    '9999-12-31T23:59:59.999-00:01',
    '0000-01-01T00:00:00+00:01',
  ])('refuses "%s"', (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  test('property: agrees with the platform, and what is written is read back', () => {
    const atMs = fc.integer({ min: Date.parse('0000-01-02T00:00:00Z'), max: Date.parse('9999-12-30T00:00:00Z') });
    fc.assert(
      fc.property(atMs, fc.integer({ min: -1439, max: 1439 }), (ms, offset) => {
        expect(parseInstant(formatInstant(ms))).toBe(ms);
        const two = (value: number) => String(value).padStart(2, '0');
        const sign = offset < 0 ? '-' : '+';
        const suffix = `${sign}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
        const local = new Date(ms).toISOString().replace('Z', suffix);
        expect(parseInstant(local)).toBe(ms - offset * 60_000);
      }),
      { numRuns: 2000 },
    );
  });
});
