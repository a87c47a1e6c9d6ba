import type { TrackJob } from '../../platform/job-log.ts';
import type { Scope } from '../../platform/scope.ts';
import type { BillingRunsDeps } from './deps.ts';
import { runRepository } from './repository.ts';
import type { BillingRunner } from './runner.ts';

/** As often as OpenMeter collects and advances; charges of everybody are worked out once an hour. */
const EVERY_MS = 300_000;
const FULL_EVERY_MS = 3_600_000;
/** Where there are other backends: what was asked of them, or left behind by one, begins after so long at most. */
const LOOK_EVERY_MS = 1000;

/**
 * Bills by itself. What a killed process has left undone is done first.
 * @returns ends it, after the item that is being done
 */
export function scheduleBilling(
  scope: Scope,
  deps: { runner: BillingRunner; track: TrackJob } & Pick<BillingRunsDeps, 'heldBack' | 'leadership'>,
): () => Promise<void> {
  const { runner, track, heldBack, leadership } = deps;
  const bill = async () => {
    if (heldBack() !== undefined) return;
    // One that is under way, here or elsewhere, does what is due; another would only queue up behind it.
    if ((await runRepository(scope).unfinished()) === undefined) {
      const lastFullAtMs = await runRepository(scope).lastFullAtMs();
      // An hour ahead as well: the clock has been there, and has stepped back.
      const isFull = lastFullAtMs === undefined || Math.abs(scope.clock.nowMs() - lastFullAtMs) >= FULL_EVERY_MS;
      await runner.request({ isFull, startedBy: 'schedule' });
    }
    await runner.work();
  };
  const run = () =>
    track('billing', bill).catch((error: unknown) => {
      scope.log.error({ err: error }, 'billing failed; it is tried again in five minutes');
    });
  // By a counter, not by the time of day: a clock that was wrong for a moment must not move the next run by a year. One
  // that takes longer than the interval is not joined by a second.
  let running: Promise<unknown> | undefined;
  const start = () => {
    if (!leadership.leads()) return;
    running ??= run().finally(() => {
      running = undefined;
    });
  };
  leadership.onLead(start);
  const timer = setInterval(start, EVERY_MS);
  const look = async (): Promise<void> => {
    if (leadership.leads() && (await runRepository(scope).unfinished()) !== undefined) start();
  };
  // A database that does not answer is told by the next run.
  const lookTimer = leadership.hasOthers ? setInterval(() => look().catch(() => {}), LOOK_EVERY_MS) : undefined;
  return async () => {
    clearInterval(timer);
    clearInterval(lookTimer);
    await runner.stop();
    await running;
  };
}
