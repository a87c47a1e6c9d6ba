import { expect, test } from 'vitest';
import { createTrustedClock } from '../../../backend/platform/trusted-clock.ts';
import { fc } from '../../support/property.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.parse('2026-11-21T12:00:00Z');
const MAX_JUMP_MS = 72 * HOUR_MS;

/** A machine whose true time goes by, and whose clock is set. */
function machine(lastSeenMs?: number) {
  let passedMs = 0;
  let wrongByMs = 0;
  const changes: boolean[] = [];
  const start = () =>
    createTrustedClock({
      machine: { nowMs: () => START_MS + passedMs + wrongByMs },
      counterMs: () => passedMs,
      maxJumpMs: MAX_JUMP_MS,
      lastSeenMs,
      onChange: ({ isHeld }) => changes.push(isHeld),
    });
  return {
    start,
    changes,
    pass: (ms: number) => {
      passedMs += ms;
    },
    beWrongBy: (ms: number) => {
      wrongByMs = ms;
    },
    trueMs: () => START_MS + passedMs,
  };
}

test('a jump beyond the bound is not believed, forward or back, and time goes on by what has passed', () => {
  for (const jumpMs of [500 * DAY_MS, -500 * DAY_MS]) {
    const m = machine();
    const clock = m.start();
    m.beWrongBy(2000);
    m.pass(HOUR_MS);
    expect(clock.nowMs()).toBe(m.trueMs() + 2000);
    m.beWrongBy(jumpMs);
    m.pass(HOUR_MS);
    expect(clock.state()).toEqual({ nowMs: m.trueMs() + 2000, machineMs: m.trueMs() + jumpMs, isHeld: true });
    m.beWrongBy(0);
    expect(clock.state()).toEqual({ nowMs: m.trueMs(), machineMs: m.trueMs(), isHeld: false });
    expect(m.changes).toEqual([true, false]);
  }
});

test('somebody who confirms it is believed', () => {
  const m = machine();
  const clock = m.start();
  m.beWrongBy(10 * DAY_MS);
  expect(clock.state().isHeld).toBe(true);
  clock.confirm();
  expect(clock.state()).toMatchObject({ isHeld: false, nowMs: m.trueMs() + 10 * DAY_MS });
});

test('a process that begins later than is plausible goes on from the last instant that was believed', () => {
  const late = machine(START_MS - 30 * DAY_MS);
  const clock = late.start();
  late.pass(HOUR_MS);
  expect(clock.state()).toMatchObject({ isHeld: true, nowMs: START_MS - 30 * DAY_MS + HOUR_MS });
  const soon = machine(START_MS - 2 * DAY_MS);
  expect(soon.start().state()).toMatchObject({ isHeld: false, nowMs: START_MS });
});

test('what a clock drifts in months is believed', () => {
  const m = machine();
  const clock = m.start();
  for (let day = 0; day < 400; day++) {
    m.pass(DAY_MS + 1);
    m.beWrongBy(day * HOUR_MS);
    expect(clock.state().isHeld).toBe(false);
  }
});

test('however the clock is set within a day, time is never further off than the bound', () => {
  const step = fc.record({
    passes: fc.integer({ min: 0, max: HOUR_MS }),
    by: fc.oneof(
      fc.constant(0),
      fc.integer({ min: -600 * DAY_MS, max: 600 * DAY_MS }),
      fc.integer({ min: 0, max: DAY_MS }),
    ),
    isAdded: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 23 }), (steps) => {
      const m = machine();
      const clock = m.start();
      let wrongByMs = 0;
      for (const { passes, by, isAdded } of steps) {
        m.pass(passes);
        wrongByMs = isAdded ? wrongByMs + by : by;
        m.beWrongBy(wrongByMs);
        expect(Math.abs(clock.nowMs() - m.trueMs())).toBeLessThanOrEqual(MAX_JUMP_MS);
      }
    }),
  );
});
