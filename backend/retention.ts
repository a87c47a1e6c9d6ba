import type { TrackJob } from './platform/job-log.ts';
import type { Leadership } from './platform/leadership.ts';
import type { Logger } from './platform/log.ts';

/** How often old things are looked for: their age is counted in days. */
const INTERVAL_MS = 3_600_000;
/** Another backend does it; should it be gone, this one does after so long at most. */
const NOT_LEADING_MS = 1000;
/** Between two steps, so that requests are not held up by one after the other. */
const PAUSE_MS = 20;

/**
 * Removes what is old from time to time.
 * @param deps.job its name in the metrics
 * @param deps.what for the log: "events"
 * @param deps.removeSome removes some of it, little enough that requests hardly wait
 * @returns what ends it; a step that has begun is waited for
 */
export function startRetention(deps: {
  job: string;
  what: string;
  log: Logger;
  track: TrackJob;
  removeSome: () => Promise<{ removed: number; state: string }>;
  leadership: Pick<Leadership, 'leads'>;
}): () => Promise<void> {
  const { job, what, log, track, removeSome, leadership } = deps;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let removed = 0;

  const step = async (): Promise<void> => {
    if (!leadership.leads()) return again(NOT_LEADING_MS);
    let pauseMs = INTERVAL_MS;
    try {
      const result = await track(job, removeSome);
      removed += result.removed;
      if (result.state === 'more') pauseMs = PAUSE_MS;
      else if (removed > 0) {
        log.info({ removed }, `old ${what} were removed`);
        removed = 0;
      }
    } catch (error) {
      log.error({ err: error }, `old ${what} could not be removed`);
    }
    again(pauseMs);
  };
  const again = (pauseMs: number): void => {
    if (isStopped) return;
    timer = setTimeout(() => {
      running = step();
    }, pauseMs);
    timer.unref();
  };
  let running: Promise<void> = step();
  return async () => {
    isStopped = true;
    clearTimeout(timer);
    await running;
  };
}
