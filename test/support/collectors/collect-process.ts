import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A collector in a process of its own, started as people start it. */
export interface CollectProcess {
  /** Lines of its log so far. */
  readonly lines: readonly Record<string, unknown>[];
  /** Resolves with the line that has this message; rejects when it ends without. */
  line(msg: string): Promise<Record<string, unknown>>;
  /** Ends it; resolves with its exit code, null when it was killed. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
  readonly ended: Promise<number | null>;
  /** What it said that is no line of the log. */
  readonly said: readonly string[];
}

const ROOT = join(import.meta.dirname, '../../..');

/** @param clockStepMs by so much its wall clock is wrong */
export function startCollectProcess(
  folder: string,
  config: string,
  args: readonly string[] = [],
  clockStepMs = 0,
): CollectProcess {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, config);
  const child: ChildProcess = spawn(
    process.execPath,
    [...steppedBy(clockStepMs), join(ROOT, 'bin/collect.js'), '--config', file, ...args],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const lines: Record<string, unknown>[] = [];
  const said: string[] = [];
  let rest = '';
  let tell = () => {};
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      if (part.startsWith('{')) lines.push(JSON.parse(part) as Record<string, unknown>);
      else said.push(part);
    }
    tell();
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return {
    lines,
    said,
    ended,
    async line(msg) {
      for (;;) {
        const found = lines.find((one) => one['msg'] === msg);
        if (found !== undefined) return found;
        const more = new Promise<'more'>((resolve) => {
          tell = () => resolve('more');
        });
        const what = await Promise.race([more, ended]);
        if (what !== 'more') throw new Error(`it ended with ${what}: ${said.join('\n')}`);
      }
    },
    end(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

/** Node's flags for a wall clock that is wrong: what comes first in the process replaces Date. */
function steppedBy(ms: number): string[] {
  if (ms === 0) return [];
  const code = `const Real = Date; globalThis.Date = class extends Real {
    constructor(...parts) { if (parts.length > 0) super(...parts); else super(Real.now() + ${ms}); }
    static now() { return Real.now() + ${ms}; }
  };`;
  return ['--import', `data:text/javascript,${encodeURIComponent(code)}`];
}
