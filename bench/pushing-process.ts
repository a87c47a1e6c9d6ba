// Run as a process of its own: the plugin's delivery part without Kong. Each line of standard input says how many events
// are to be pushed and how fast; it is answered with the counters when all of them have been pushed.
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type DeliverySettings, deliveryCounters, installShutdown, openDelivery } from '../plugin/delivery/index.ts';

/** What the command line has, as JSON. */
export interface PushingTask {
  readonly settings: DeliverySettings;
  /** The event, always the same but for its number. */
  readonly json: string;
}

/** A line of standard input, as JSON. */
export interface Pushes {
  readonly events: number;
  readonly perSecond: number;
}

/** As many as a busy plugin server takes in one turn of its event loop. */
const PER_TURN = 64;

const { settings, json } = JSON.parse(process.argv[2] ?? '') as PushingTask;
const delivery = openDelivery(settings);
installShutdown();
let pushed = 0;

async function push({ events, perSecond }: Pushes): Promise<void> {
  const startedAt = performance.now();
  for (let done = 0; done < events; done++) {
    delivery.push({ json: json.replace('EVENT-ID', String(++pushed).padStart(36, '0')) });
    if (done % PER_TURN !== 0) continue;
    do await nextTurn();
    while (performance.now() - startedAt < (done / perSecond) * 1000);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  await push(JSON.parse(line) as Pushes);
  process.stdout.write(`${JSON.stringify(deliveryCounters())}\n`);
}
