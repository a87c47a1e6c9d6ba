import type { Clock } from './platform/clock.ts';
import type { TrackJob } from './platform/job-log.ts';
import type { Logger } from './platform/log.ts';
import type { UsageStore } from './usage-store/index.ts';

const DAY_MS = 86_400_000;
/** How often old events are looked for: the age is counted in days. */
const INTERVAL_MS = 3_600_000;
/** Between two steps, so that requests are not held up by one after the other. */
const PAUSE_MS = 20;

/** Removes old events from time to time. @returns what ends it; a step that has begun is waited for */
export function startRetention(deps: {
  usage: UsageStore;
  clock: Clock;
  log: Logger;
  retentionDays: number;
  track: TrackJob;
}): () => Promise<void> {
  const { usage, clock, log, retentionDays, track } = deps;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let removed = 0;

  const step = async (): Promise<void> => {
    let pauseMs = INTERVAL_MS;
    try {
      const result = await track('retention', () => usage.expire(clock.nowMs() - retentionDays * DAY_MS));
      removed += result.removed;
      if (result.state === 'more') pauseMs = PAUSE_MS;
      else if (removed > 0) {
        log.info({ removed, retentionDays }, 'old events were removed');
        removed = 0;
      }
    } catch (error) {
      log.error({ err: error }, 'old events could not be removed');
    }
    if (!isStopped) schedule(pauseMs);
  };
  let running: Promise<void> = step();
  const schedule = (pauseMs: number): void => {
    timer = setTimeout(() => {
      running = step();
    }, pauseMs);
    timer.unref();
  };
  return async () => {
    isStopped = true;
    clearTimeout(timer);
    await running;
  };
}
