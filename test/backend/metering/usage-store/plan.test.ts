import { expect, test } from 'vitest';
import { bucketOf, bucketStartMs } from '../../../../backend/metering/usage-store/series/levels.ts';
import { planRange, type Segment } from '../../../../backend/metering/usage-store/series/plan.ts';
import { fc } from '../../../support/property.ts';

const QUARTER_MS = 900_000;
const bounds = ({ ...segment }: Segment): [number, number] =>
  segment.size === undefined
    ? [segment.fromMs, segment.toMs]
    : [bucketStartMs(segment.size, segment.first), bucketStartMs(segment.size, segment.end)];
const instant = fc.integer({ min: Date.parse('0001-01-01T00:00:00Z'), max: Date.parse('9998-12-31T23:59:59.999Z') });

test('a plan covers its range without gap or overlap, and leaves less than a quarter of an hour at each end to events', () => {
  fc.assert(
    fc.property(
      instant,
      fc.nat(100_000_000_000),
      fc.constantFrom('quarter', 'day', 'month' as const),
      (from, length, size) => {
        const plan = planRange(from, from + length, size);
        let at = from;
        for (const segment of plan) {
          const [fromMs, toMs] = bounds(segment);
          expect(fromMs).toBe(at);
          expect(toMs).toBeGreaterThan(fromMs);
          at = toMs;
          if (segment.size === undefined) expect(toMs - fromMs).toBeLessThan(2 * QUARTER_MS);
        }
        expect(at).toBe(from + length);
        expect(plan.filter((segment) => segment.size === undefined).length).toBeLessThanOrEqual(2);
        expect(plan.length).toBeLessThanOrEqual(7);
      },
    ),
  );
});

test('a whole month is one bucket', () => {
  const [fromMs, toMs] = [Date.parse('2026-10-01T00:00:00Z'), Date.parse('2026-11-01T00:00:00Z')];
  const first = bucketOf('month', fromMs);
  expect(planRange(fromMs, toMs, 'month')).toEqual([{ size: 'month', first, end: first + 1 }]);
  expect(planRange(fromMs, fromMs, 'month')).toEqual([]);
});
