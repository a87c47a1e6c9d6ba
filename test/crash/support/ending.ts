import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { PluginServer } from '../../gateway-player/index.ts';
import type { Random } from './random.ts';

/** What a process needs at most to put on disk what it has in memory. */
const ENOUGH_CPU_MS = 20;

/**
 * SIGTERM, and SIGKILL 46 to 80 ms later, as Kong ends its plugin server. On a machine so busy that the process does not
 * get to run in that time, later: what it does when it runs is tested, not the scheduler.
 */
export async function endAsKongDoes(server: PluginServer, random: Random): Promise<void> {
  const before = cpuMs(server.pid);
  let isOver = false;
  void server.terminate().then(() => {
    isOver = true;
  });
  await pause(random.between(46, 80));
  while (!isOver && cpuMs(server.pid) < before + ENOUGH_CPU_MS) await pause(5);
  await server.kill();
}

/** CPU time of a process, from /proc, where there is one; it counts in steps of 10 ms. */
function cpuMs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Infinity;
  }
}
