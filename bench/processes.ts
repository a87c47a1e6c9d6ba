import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A server that runs in a process of its own. */
export interface BenchProcess {
  url: string;
  /** Resident memory, from /proc where there is one. */
  memoryBytes(): number;
  /** The most that has been resident at once since it began. */
  mostMemoryBytes(): number;
  /** CPU time so far, all its threads together. */
  cpuSeconds(): number;
  stop(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts Node with a script that prints a JSON line with its "url" once it listens. */
export function startProcess(args: readonly string[], environment: Record<string, string>): Promise<BenchProcess> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return new Promise((resolve, reject) => {
    let output = '';
    child.once('exit', (code) => reject(new Error(`${args[0]} ended with ${code}`)));
    child.stdout.on('data', (chunk) => {
      if (output.length < 10_000) output += chunk;
      const url = /"url":"([^"]+)"/.exec(output)?.[1];
      if (url === undefined) return;
      resolve({
        url,
        memoryBytes: () => statusBytes(child.pid ?? 0, 'VmRSS'),
        mostMemoryBytes: () => statusBytes(child.pid ?? 0, 'VmHWM'),
        cpuSeconds: () => cpuSeconds(child.pid ?? 0),
        stop: async () => {
          child.kill('SIGTERM');
          await exited;
        },
        kill: async () => {
          child.kill('SIGKILL');
          await exited;
        },
      });
    });
  });
}

function statusBytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  try {
    const kilobytes = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number.parseInt(kilobytes ?? '0', 10) * 1024;
  } catch {
    return Number.NaN;
  }
}

/** CPU time that a process and its children have used so far, all their threads together. */
export function treeCpuSeconds(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return [pid, ...children.map(Number)].reduce((sum, each) => sum + cpuSeconds(each), 0);
}

/** CPU time that a process has used, all its threads together, from /proc. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  // Fields 14 and 15 of the file, in ticks of 10 ms on every Linux that Node runs on.
  return (Number.parseInt(fields[11] ?? '0', 10) + Number.parseInt(fields[12] ?? '0', 10)) / 100;
}
