import type { Clock } from './clock.ts';

/** What the machine's clock says, and what is believed of it. */
export interface ClockState {
  /** The instant that everything goes by. */
  nowMs: number;
  /** What the machine's clock says. */
  machineMs: number;
  /** The machine's clock has moved by more than time can have passed: what removes or bills things has to wait. */
  isHeld: boolean;
}

/** The machine's clock, as far as it is plausible. */
export interface TrustedClock extends Clock {
  state(): ClockState;
  /** Somebody who knows has said that the machine's clock is right: it is believed from now on. */
  confirm(): void;
}

/**
 * The clock may have gone wrong by the bound in so long; what it drifts, and is set by, in longer time is believed. Were
 * each reading believed from the one before, many small steps would lead anywhere.
 */
const ANCHORED_FOR_MS = 86_400_000;

interface Anchor {
  /** The instant that was believed when this was anchored, and the reading of the counter at that moment. */
  wallMs: number;
  counterMs: number;
}

/**
 * Time moves by what is plausible. While the machine's clock differs by more than a bound from what has passed, time
 * goes on by a counter that nobody sets, from the last instant that was believed; nothing is then stored with an instant
 * that lies far in the future or in the past. It is believed again when it comes back, or when somebody confirms it.
 * @param options.machine the machine's clock
 * @param options.counterMs only rises, by a millisecond in a millisecond; stands still while the machine sleeps
 * @param options.lastSeenMs an instant that was believed before this process began; undefined: none is known
 * @param options.onChange told when the clock is not believed any more, and when it is again
 */
export function createTrustedClock(options: {
  machine: Clock;
  counterMs: () => number;
  maxJumpMs: number;
  lastSeenMs: number | undefined;
  onChange?: (state: ClockState) => void;
}): TrustedClock {
  const { machine, counterMs, maxJumpMs, lastSeenMs, onChange } = options;
  let anchor: Anchor = { wallMs: lastSeenMs ?? machine.nowMs(), counterMs: counterMs() };
  /** By how much the machine's clock was before what has passed when it was last believed. */
  let aheadMs = 0;
  let isHeld = false;

  const read = (): ClockState => {
    const machineMs = machine.nowMs();
    const passedMs = counterMs() - anchor.counterMs;
    const expectedMs = anchor.wallMs + passedMs;
    const wasHeld = isHeld;
    isHeld = Math.abs(machineMs - expectedMs) > maxJumpMs;
    if (!isHeld) {
      aheadMs = machineMs - expectedMs;
      if (passedMs > ANCHORED_FOR_MS) anchorAt(machineMs);
    }
    const state = { nowMs: isHeld ? Math.floor(expectedMs + aheadMs) : machineMs, machineMs, isHeld };
    if (wasHeld !== isHeld) onChange?.(state);
    return state;
  };
  const anchorAt = (wallMs: number): void => {
    anchor = { wallMs, counterMs: counterMs() };
    aheadMs = 0;
  };
  // A process that begins with a plausible clock goes by it from the start: how long it did not run, nobody can count.
  if (!read().isHeld) anchorAt(machine.nowMs());
  return {
    nowMs: () => read().nowMs,
    state: read,
    confirm: () => {
      anchorAt(machine.nowMs());
      read();
    },
  };
}
