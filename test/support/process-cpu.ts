import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** CPU time that a process has used, from /proc, which counts in steps of 10 ms; Infinity when it is gone. */
function cpuMs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Infinity;
  }
}

/** What a process needs at most to put on disk what it has in memory. */
const ENOUGH_CPU_MS = 20;

/**
 * Sends SIGTERM and, 46 to 80 ms later, SIGKILL, as Kong ends its plugin server. On a machine so busy that the process
 * does not get to run in that time, later: what it does when it runs is tested, not the scheduler.
 */
export async function endAsKongDoes(pid: number, ended: Promise<unknown>, afterMs: number): Promise<void> {
  const before = cpuMs(pid);
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  process.kill(pid, 'SIGTERM');
  await pause(afterMs);
  while (!isOver && cpuMs(pid) < before + ENOUGH_CPU_MS) await pause(5);
  if (!isOver) process.kill(pid, 'SIGKILL');
  await ended;
}
