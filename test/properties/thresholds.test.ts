import { expect, test } from 'vitest';
import { follow, isReached, type ThresholdState } from '../../backend/notifications/entitlement-events/thresholds.ts';
import { Decimal } from '../../backend/platform/decimal.ts';
import { fc } from '../support/property.ts';

const RUNS = process.env['LONG'] === '1' ? 50_000 : 1000;

type Step = { kind: 'use' | 'correct' | 'grant' | 'void' | 'reset' | 'look'; amount: number };

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('use', 'use', 'use', 'correct', 'grant', 'void', 'reset', 'look'),
  amount: fc.integer({ min: 0, max: 50 }),
});
const threshold = fc.record({
  type: fc.constantFrom('balance_value', 'usage_percentage', 'usage_value'),
  value: fc.integer({ min: 1, max: 150 }).map(String),
});

/** What a person would say who writes down usage and limit after each step, in plain numbers. */
function isAbove({ type, value }: { type: string; value: string }, usage: number, limit: number): boolean {
  const bound = Number(value);
  if (type === 'usage_value') return usage >= bound;
  if (type === 'balance_value') return Math.max(0, limit - usage) <= bound;
  return limit === 0 ? usage > 0 : usage * 100 >= bound * limit;
}

test('a threshold is told exactly when it is reached, and was not just before in the same period', () => {
  fc.assert(
    fc.property(threshold, fc.array(step, { minLength: 1, maxLength: 60 }), (crossed, steps) => {
      let [period, usage, limit] = [0, 0, 100];
      let state: ThresholdState | undefined;
      let [told, wanted, wasAbove] = [0, 0, false];
      const texts = new Set<string>();
      for (const { kind, amount } of steps) {
        if (kind === 'use') usage += amount;
        if (kind === 'correct') usage = Math.max(0, usage - amount);
        if (kind === 'grant') limit += amount;
        if (kind === 'void') limit = Math.max(0, limit - amount);
        if (kind === 'reset') [period, usage, wasAbove] = [period + 1, 0, false];
        const above = isAbove(crossed, usage, limit);
        if (above && !wasAbove) wanted += 1;
        wasAbove = above;
        const balance = new Decimal(Math.max(0, limit - usage));
        const measured = { periodFromMs: period, usage: new Decimal(usage), balance, limit: new Decimal(limit) };
        expect(isReached(crossed, measured)).toBe(above);
        const after = follow(crossed, measured, state);
        state = after.state;
        if (!after.isTold) continue;
        told += 1;
        // What keeps two who look at the same time from telling it twice.
        texts.add(`${state.periodFromMs} ${state.crossings}`);
      }
      expect({ told, texts: texts.size }).toEqual({ told: wanted, texts: wanted });
    }),
    { numRuns: RUNS },
  );
});
