// Run as a process of its own: pushes events as a plugin instance does, and lets the delivery part do the rest.
import { createServer } from 'node:net';
import { deliveryCounters, installShutdown, openDelivery } from '../../../../plugin/delivery/index.ts';
import type { ChildTask } from './child.ts';

const task = JSON.parse(process.argv[2] ?? '') as ChildTask;
installShutdown();
installShutdown();
const delivery = openDelivery(task.settings);
for (const id of task.ids) delivery.push({ json: JSON.stringify({ specversion: '1.0', id }) });
if (task.stayAlive) createServer().listen(0, '127.0.0.1');
process.on('SIGTERM', () => delivery.push({ json: '{"id":"late"}' }));
process.on('exit', () => process.stderr.write(`${JSON.stringify({ msg: 'counters', ...deliveryCounters() })}\n`));
