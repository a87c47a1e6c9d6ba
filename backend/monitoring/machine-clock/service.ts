import type { Clock } from '../../platform/clock.ts';
import type { ControlDb } from '../../platform/db/control-db.ts';
import { RequestProblem } from '../../platform/errors.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Logger } from '../../platform/log.ts';
import { type ClockState, createTrustedClock } from '../../platform/trusted-clock.ts';
import { trustedClockRepository } from './repository.ts';

/** The machine's clock, watched: everything that depends on time goes by `clock`. */
export interface MachineClock {
  clock: Clock;
  state(): ClockState;
  /**
   * Believes the machine's clock from now on.
   * @param atMs the time that it is, by whoever confirms
   * @throws RequestProblem 409 when the machine's clock says something else
   */
  confirm(atMs: number): Promise<ClockState>;
  /** Ends the watching. */
  stop(): Promise<void>;
}

/** How exact the word of whoever confirms has to be: nobody types seconds. */
const CONFIRMED_WITHIN_MS = 600_000;
/** How often the believed time is noted, for a process that begins after this one; and is looked at when nobody asks. */
const NOTED_EVERY_MS = 30_000;

/**
 * @param deps.machine the machine's clock
 * @param deps.counterMs see createTrustedClock
 */
export async function openMachineClock(deps: {
  db: ControlDb;
  machine: Clock;
  counterMs: () => number;
  maxJumpMs: number;
  log: Logger;
}): Promise<MachineClock> {
  const { db, machine, counterMs, maxJumpMs, log } = deps;
  const seen = trustedClockRepository(db);
  const trusted = createTrustedClock({
    machine,
    counterMs,
    maxJumpMs,
    lastSeenMs: await seen.seenAtMs(),
    onChange: (state) => {
      const times = { machine: formatInstant(state.machineMs), now: formatInstant(state.nowMs) };
      if (state.isHeld) log.error(times, `the machine's clock has jumped: ${WAITING}`);
      else log.warn(times, "the machine's clock is believed again");
    },
  });
  /** Without waiting for the disk: a note that is lost with the power makes the next process more careful, not less. */
  const note = async (): Promise<void> => {
    const { nowMs, isHeld } = trusted.state();
    if (!isHeld) await db.withoutSync((own) => trustedClockRepository(own).setSeen(nowMs));
  };
  let noting = note();
  await noting;
  const timer = setInterval(() => {
    noting = note().catch((error: unknown) => log.error({ err: error }, 'the time could not be noted'));
  }, NOTED_EVERY_MS);
  timer.unref();
  return {
    clock: trusted,
    state: trusted.state,
    confirm: async (atMs) => {
      const { machineMs } = trusted.state();
      if (Math.abs(machineMs - atMs) > CONFIRMED_WITHIN_MS) {
        throw new RequestProblem(
          'resource-conflict',
          `The machine's clock says ${formatInstant(machineMs)}: set it right first, then confirm it.`,
        );
      }
      trusted.confirm();
      await note();
      return trusted.state();
    },
    stop: async () => {
      clearInterval(timer);
      await noting;
    },
  };
}

/** What a clock that is not believed means, for people. */
export const WAITING =
  'billing, the removal of old data and everything that expires wait until it is right again or somebody confirms it';

/** A clock that nobody watches is believed, as one that tests move is. */
export function unwatched(clock: Clock): Pick<MachineClock, 'state' | 'confirm'> {
  const state = () => ({ nowMs: clock.nowMs(), machineMs: clock.nowMs(), isHeld: false });
  return { state, confirm: async () => state() };
}
