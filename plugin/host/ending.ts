import { fstatSync } from 'node:fs';
import { systemClock } from '../../delivery/clock.ts';

/** How the end of the process is brought about. */
export interface Ending {
  /**
   * Runs `finish` once, when the process is asked to end (SIGTERM, SIGINT) or its parent is gone.
   * @param orphanUse how much the process would be missed if it ended for want of a parent; asked again and again
   * @param retire lets Kong go over to the server that has taken this one's place; awaited before `finish`
   */
  onRequest(finish: () => Promise<void>, orphanUse?: () => OrphanUse, retire?: () => Promise<void>): void;
  /** Ends the process as if it had been asked to. */
  request(): void;
  /** Ends it once Kong has gone over to another server. */
  retire(): void;
}

/**
 * What an orphan is still good for. `connected`: Kong has connections to it. `idle`: nobody has, but it is the one that
 * Kong would connect to. `none`: another listens in its place.
 */
export type OrphanUse = 'connected' | 'idle' | 'none';

/** Asking costs nothing, and an orphan is soon found. */
const PARENT_CHECK_MS = 1000;

/**
 * When one Kong worker dies, the plugin server loses its parent, though all other workers still use it: until Kong has
 * started another, which it does after a second at most and which takes its time on a busy machine, it is needed. Whom
 * nobody is connected to may be the last that is left of a Kong that is gone, and does not wait for long.
 */
const SUCCESSOR_WITHIN_MS: Readonly<Record<OrphanUse, number>> = { connected: 60_000, idle: 1500, none: 0 };
const SUCCESSOR_CHECK_MS = 20;

/**
 * What has not ended by itself after this long never will: a delivery gives up after 5 s, and container runtimes kill
 * after 10 s.
 */
const END_WITHIN_MS = 10_000;

/**
 * Takes over the end of the process; call it before a plugin is loaded. What the plugin does on SIGTERM happens once
 * the events under way have reached it, whatever else it was that asked for the end. A plugin that listens for SIGTERM
 * ends the process itself, or leaves nothing behind that keeps it alive.
 * @param endsWithParent whether it has a parent that it is to end with
 */
export function takeOverEnding(endsWithParent = true): Ending {
  const pluginHandlers: NodeJS.SignalsListener[] = [];
  let finish = async (): Promise<void> => undefined;
  let useOf = (): OrphanUse => 'none';
  let goOver = async (): Promise<void> => undefined;
  let isRequested = false;
  let isRetiring = false;

  async function end(): Promise<void> {
    systemClock.setTimer(() => process.exit(1), END_WITHIN_MS, { background: true });
    await finish();
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

  function retire(): void {
    if (isRetiring) return;
    isRetiring = true;
    goOver().then(request, request);
  }

  function endWhenNotNeeded(orphanedAt: number): void {
    const use = useOf();
    if (use === 'none') retire();
    else if (systemClock.now() - orphanedAt >= SUCCESSOR_WITHIN_MS[use]) request();
    else systemClock.setTimer(() => endWhenNotNeeded(orphanedAt), SUCCESSOR_CHECK_MS);
  }

  process.on('SIGTERM', request);
  process.on('SIGINT', request);
  process.on('disconnect', () => endWhenNotNeeded(systemClock.now()));
  process.on('newListener', (event, listener) => {
    if (event !== 'SIGTERM' || listener === request) return;
    pluginHandlers.push(listener as NodeJS.SignalsListener);
    queueMicrotask(() => process.removeListener('SIGTERM', listener));
  });
  if (endsWithParent) watchParent(() => endWhenNotNeeded(systemClock.now()));
  return {
    onRequest(onEnd, orphanUse, onRetire) {
      finish = onEnd;
      if (orphanUse !== undefined) useOf = orphanUse;
      if (onRetire !== undefined) goOver = onRetire;
    },
    request,
    retire,
  };
}

/** Calls `onGone` once. */
function watchParent(onGone: () => void): void {
  const parent = process.ppid;
  let isGone = false;
  const gone = (): void => {
    if (isGone) return;
    isGone = true;
    onGone();
  };
  const check = (): void => {
    if (process.ppid !== parent) gone();
    else systemClock.setTimer(check, PARENT_CHECK_MS, { background: true });
  };
  check();
  if (isPipe(0)) process.stdin.on('end', gone).on('error', gone).resume();
}

/** Not a terminal, a file or /dev/null: those end, or never do, whatever the parent does. */
export function isPipe(descriptor: number): boolean {
  try {
    const status = fstatSync(descriptor);
    return status.isFIFO() || status.isSocket();
  } catch {
    return false;
  }
}
