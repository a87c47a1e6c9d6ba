import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { DeliverySettings } from '../../../plugin/delivery/index.ts';
import type { SpoolSettings } from '../../../plugin/delivery/spool/spool.ts';

/** What pushing-process.ts is told to do. */
export interface PushingTask {
  readonly settings: DeliverySettings;
  readonly spool: SpoolSettings;
  readonly node: string;
  /** Ids are this and a number from 1. */
  readonly prefix: string;
  /** It pushes so many, and then does nothing. */
  readonly count: number;
}

export interface PushingProcess {
  readonly pid: number;
  /** Events whose push has returned… */
  pushed(): number;
  /** …and how many of them, the first ones, were on disk then. */
  spooled(): number;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it is gone and all that it said has been read. */
  readonly ended: Promise<void>;
}

/** A process of its own that pushes events into a spool; killed with the test if it is still there. */
export function startPushing(task: PushingTask): PushingProcess {
  const script = fileURLToPath(new URL('pushing-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = { pushed: 0, spooled: 0, rest: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (said.rest + text).split('\n');
    said.rest = lines.pop() ?? '';
    const [pushed, spooled] = lines.at(-1)?.split(' ') ?? [];
    if (pushed !== undefined && spooled !== undefined) {
      said.pushed = Number(pushed);
      said.spooled = Number(spooled);
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text;
  });
  return {
    pid: child.pid ?? 0,
    pushed: () => said.pushed,
    spooled: () => said.spooled,
    stderr: () => said.stderr,
    kill: (signal) => void child.kill(signal),
    ended: once(child, 'close').then(() => undefined),
  };
}
