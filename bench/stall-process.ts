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

/** Runs once in each turn of the event loop. */
function measure(): void {
  const now = cpuMs();
  longestMs = Math.max(longestMs, now - before);
  before = now;
  setImmediate(measure);
}

const { url } = await startBackend(loadConfig(), createLogger('silent'));
measure();
process.on('message', (message) => {
  if (message === 'end') process.send?.({ longestMs });
  longestMs = 0;
  if (message === 'begin') process.send?.({});
});
process.on('disconnect', () => process.exit(0));
process.send?.({ url });
