// A backend whose main thread measures its own turns, for bench/stall.ts. Told "begin" it forgets, told "end" it answers
// the longest turn since, in milliseconds of CPU time of this thread alone: what else the machine does counts for nothing.
import { loadConfig } from '../backend/config.ts';
import { startBackend } from '../backend/main.ts';
import { createLogger } from '../backend/platform/log.ts';

let longestMs = 0;
let before = cpuMs();

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Short turns count as one with their neighbours: to look at each would keep the loop from resting. */
const LOOK_EVERY_MS = 1;

function measure(): void {
  const now = cpuMs();
  longestMs = Math.max(longestMs, now - before);
  before = now;
}

const { url } = await startBackend(loadConfig(), createLogger('silent'));
setInterval(measure, LOOK_EVERY_MS);
process.on('message', (message) => {
  measure();
  if (message === 'end') process.send?.({ longestMs });
  longestMs = 0;
  if (message === 'begin') process.send?.({});
});
process.on('disconnect', () => process.exit(0));
process.send?.({ url });
