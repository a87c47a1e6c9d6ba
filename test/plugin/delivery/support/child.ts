import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { DeliverySettings } from '../../../../plugin/delivery/index.ts';

/** What child-process.ts is told to do. */
export interface ChildTask {
  readonly settings: DeliverySettings;
  readonly ids: readonly string[];
  /** Whether something else keeps the process alive, as its socket does for a plugin server. */
  readonly stayAlive: boolean;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Child {
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

/**
 * A process of its own that pushes events through the public face; killed with the test if it is still there. Without a
 * spool, unless `env` says otherwise.
 */
export function startChild(task: ChildTask, env: Record<string, string> = {}): Child {
  const script = fileURLToPath(new URL('child-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, METERING_SPOOL: 'off', ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const collect = async (): Promise<Ended> => {
    const [[code, signal], stdout, stderr] = await Promise.all([
      once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>,
      text(child.stdout),
      text(child.stderr),
    ]);
    return { code, signal, stdout, stderr };
  };
  return { kill: (signal) => void child.kill(signal), ended: collect() };
}
