import type { ChildProcess } from 'node:child_process';
import { type FSWatcher, watch } from 'node:fs';

/** An editor that saves several files, or one in several steps, makes one restart. */
const QUIET_MS = 150;

/**
 * Runs a program, and runs it anew when something in the folders changes. One that has ended by itself stays ended until the
 * next change: what it said stands there to be read.
 * @param start starts the program; it is asked to end by SIGTERM, and the next one starts when it has
 */
export function runAnewOnChange(start: () => ChildProcess, folders: readonly string[]): { stop(): Promise<void> } {
  let child = start();
  let isStopped = false;
  let turns: Promise<void> = Promise.resolve();
  let waiting: NodeJS.Timeout | undefined;

  const next = async () => {
    await ended(child);
    if (!isStopped) child = start();
  };
  const onChange = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      turns = turns.then(next);
    }, QUIET_MS);
  };
  const watchers: FSWatcher[] = folders.map((folder) => watch(folder, { recursive: true }, onChange));
  return {
    stop: async () => {
      isStopped = true;
      clearTimeout(waiting);
      for (const watcher of watchers) watcher.close();
      await turns;
      await ended(child);
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill();
  await exit;
}
