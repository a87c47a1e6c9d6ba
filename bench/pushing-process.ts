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

/** A slice every so many milliseconds. One that comes late is not made up for: a gateway's clients do not hurry, either. */
async function push({ events, perSecond }: Pushes): Promise<void> {
  const sliceMs = (1000 * PER_TURN) / perSecond;
  for (let done = 0; done < events; ) {
    const startedAt = performance.now();
    for (const end = Math.min(events, done + PER_TURN); done < end; done++) {
      delivery.push({ json: json.replace('EVENT-ID', String(++pushed).padStart(36, '0')) });
    }
    do await nextTurn();
    while (performance.now() - startedAt < sliceMs);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  await push(JSON.parse(line) as Pushes);
  process.stdout.write(`${JSON.stringify(deliveryCounters())}\n`);
}
