import type { EventWriter } from './event-writer.ts';

/** Nothing was written for this long: time to fold what has gathered, which makes queries read less. */
const IDLE_MS = 200;
/** What failed is hardly any better at once; a full disk may be soon. */
const RETRY_MS = 30_000;

/** What the writer's thread does of itself: between the transactions of requests, one step at a time. */
export interface IdleUpkeep {
  /** There may be something to compute. */
  startBackFill(): void;
  /** Something was written: what waits until nothing is written waits anew. */
  delay(): void;
  stop(): void;
}

/** @param onTrouble told of a step that failed; what it throws ends the thread */
export function startIdleUpkeep(writer: EventWriter, onTrouble: (error: unknown) => void): IdleUpkeep {
  let isIdle = false;
  let hasFolded = false;
  let isBackFilling = false;
  let isStopped = false;
  let retryTimer: NodeJS.Timeout | undefined;
  const idleTimer = setTimeout(() => {
    isIdle = true;
    foldWhileIdle();
  }, IDLE_MS);

  function foldWhileIdle(): void {
    if (isStopped || !isIdle) return;
    if (attempt(writer.idleStep)) {
      hasFolded = true;
      setImmediate(foldWhileIdle);
    } else if (hasFolded) {
      hasFolded = false;
      // What could not be folded is to be computed anew.
      startBackFill();
    }
  }

  function backFill(): void {
    isBackFilling = !isStopped && attempt(writer.backFillStep);
    if (isBackFilling) setImmediate(backFill);
    else if (!isStopped) idleTimer.refresh();
  }

  function startBackFill(): void {
    if (isBackFilling) return;
    isBackFilling = true;
    setImmediate(backFill);
  }

  /** A step that fails (the disk is full) is tried again after a while; no figure depends on it. */
  function attempt(step: () => boolean): boolean {
    const failedBefore = writer.failedSteps();
    try {
      return step();
    } catch (error) {
      onTrouble(error);
      retryTimer ??= setTimeout(retryFailed, RETRY_MS);
      // One that is passed over from now on leaves others to do; with a full disk each would fail.
      return writer.failedSteps() > failedBefore;
    }
  }

  function retryFailed(): void {
    retryTimer = undefined;
    if (isStopped) return;
    writer.retryFailed();
    startBackFill();
  }

  return {
    startBackFill,
    delay: () => {
      if (isStopped) return;
      isIdle = false;
      idleTimer.refresh();
    },
    stop: () => {
      isStopped = true;
      clearTimeout(idleTimer);
      clearTimeout(retryTimer);
    },
  };
}
