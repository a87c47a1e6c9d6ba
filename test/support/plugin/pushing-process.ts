// Run as a process of its own: pushes numbered events without end, and says of each, once push has returned, how many
// events its spool has confirmed by then.
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../../delivery/clock.ts';
import { createDeliveries } from '../../../plugin/delivery/deliveries.ts';
import type { PushingTask } from './pushing.ts';

const task = JSON.parse(process.argv[2] ?? '') as PushingTask;
const sink = (line: string) => writeSync(2, `${line}\n`);
const deliveries = createDeliveries({
  clock: systemClock,
  random: Math.random,
  sink,
  spool: task.spool,
  node: task.node,
});
const delivery = deliveries.open(task.settings);
process.on('SIGTERM', () => void deliveries.stop(5000).then(() => process.exit(0)));
for (let pushed = 1; pushed <= task.count; pushed++) {
  const id = `${task.prefix}${pushed}`;
  delivery.push({ json: JSON.stringify({ specversion: '1.0', id, data: { padding: 'x'.repeat(200) } }) });
  writeSync(1, `${pushed} ${deliveries.snapshot().spooled}\n`);
  if (pushed % 20 === 0) await pause(1);
}
setInterval(() => writeSync(1, `${task.count} ${deliveries.snapshot().spooled}\n`), 5);
