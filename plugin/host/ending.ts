import { fstatSync } from 'node:fs';
import { systemClock } from '../delivery/clock.ts';

/** How the end of the process is brought about. */
export interface Ending {
  /** Runs once, when the process is asked to end or its parent is gone: SIGTERM, SIGINT, end of standard input … */
  onRequest(run: () => Promise<void>): void;
  request(): void;
}

/** Often enough that an orphan does not live on next to its successor for long; asking costs nothing. */
const PARENT_CHECK_MS = 1000;

/**
 * What has not ended by itself after this long never will: a delivery gives up after 5 s, and container runtimes kill
 * after 10 s.
 */
const END_WITHIN_MS = 10_000;

/**
 * Takes over the end of the process; call it before a plugin is loaded. What the plugin does on SIGTERM happens once
 * the events under way have reached it, whatever else it was that asked for the end. A plugin that listens for SIGTERM
 * ends the process itself, or leaves nothing behind that keeps it alive.
 */
export function takeOverEnding(): Ending {
  const pluginHandlers: NodeJS.SignalsListener[] = [];
  let finish: (() => Promise<void>) | undefined;
  let isRequested = false;

  async function end(): Promise<void> {
    systemClock.setTimer(() => process.exit(1), END_WITHIN_MS, { background: true });
    await finish?.();
    process.stdin.destroy();
    if (process.connected) process.disconnect();
    if (pluginHandlers.length === 0) process.exit(0);
    for (const handler of pluginHandlers) handler('SIGTERM');
  }

  function request(): void {
    if (isRequested) return;
    isRequested = true;
    // A plugin is free to fail, but then nothing else would end the process.
    end().catch(() => process.exit(1));
  }

  process.on('SIGTERM', request);
  process.on('SIGINT', request);
  process.on('disconnect', request);
  process.on('newListener', (event, listener) => {
    if (event !== 'SIGTERM' || listener === request) return;
    pluginHandlers.push(listener as NodeJS.SignalsListener);
    queueMicrotask(() => process.removeListener('SIGTERM', listener));
  });
  watchParent(request);
  return {
    onRequest(run) {
      finish = run;
    },
    request,
  };
}

function watchParent(onGone: () => void): void {
  const parent = process.ppid;
  const check = (): void => {
    if (process.ppid !== parent) onGone();
    systemClock.setTimer(check, PARENT_CHECK_MS, { background: true });
  };
  check();
  if (!isPipe(0)) return;
  process.stdin.on('end', onGone).on('error', onGone).resume();
}

/** Not a terminal, a file or /dev/null: those end, or never do, whatever the parent does. */
function isPipe(descriptor: number): boolean {
  try {
    const status = fstatSync(descriptor);
    return status.isFIFO() || status.isSocket();
  } catch {
    return false;
  }
}
