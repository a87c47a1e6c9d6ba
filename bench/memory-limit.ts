import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Puts this process, and all that it starts from now on, into a group that the system ends when it needs more memory, as
 * a container is. Node sizes its heaps by such a limit.
 * @returns what removes the group, as far as nothing is left in it; undefined where none can be made
 */
export function limitMemory(bytes: number): (() => void) | undefined {
  const name = `bench-${process.pid}`;
  const hierarchies = [
    { parent: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes' },
    { parent: '/sys/fs/cgroup', limit: 'memory.max' },
  ];
  for (const { parent, limit } of hierarchies) {
    const group = join(parent, name);
    try {
      mkdirSync(group);
      writeFileSync(join(group, limit), `${bytes}`);
      writeFileSync(join(group, 'cgroup.procs'), `${process.pid}`);
    } catch {
      continue;
    }
    return () => {
      writeFileSync(join(parent, 'cgroup.procs'), `${process.pid}`);
      rmdirSync(group);
    };
  }
  return undefined;
}
