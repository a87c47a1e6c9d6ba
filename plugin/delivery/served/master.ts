import { readFileSync } from 'node:fs';
import type { Master } from './run.ts';

/** Linux tells programs of a hundredth of a second, whatever its own ticks are. */
const MS_PER_TICK = 10;
const NGINX = 'nginx';

interface Process {
  readonly name: string;
  readonly parent: number;
  readonly startedAtTicks: number;
}

/**
 * The master of these workers; undefined when they are not to be seen, such as in another container. Their ids may mean
 * other processes here: only nginx's count.
 */
export function masterOf(workers: readonly number[]): Master | undefined {
  const parents = new Set(
    workers.map(readProcess).flatMap((worker) => (worker?.name === NGINX ? [worker.parent] : [])),
  );
  const [parent, ...others] = parents;
  if (parent === undefined || others.length > 0) return undefined;
  const master = readProcess(parent);
  if (master?.name !== NGINX) return undefined;
  return { id: `${parent}:${master.startedAtTicks}`, startedAtMs: master.startedAtTicks * MS_PER_TICK };
}

/** proc_pid_stat(5): `pid (name) state ppid …`, and as the 22nd field when it was started. */
function readProcess(pid: number): Process | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return {
      name: text.slice(text.indexOf('(') + 1, text.lastIndexOf(')')),
      parent: Number.parseInt(fields[1] ?? '', 10),
      startedAtTicks: Number.parseInt(fields[19] ?? '', 10),
    };
  } catch {
    return undefined;
  }
}
