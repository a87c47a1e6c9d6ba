import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Receiver, startReceiver, verify } from '../support/notifications/receiver.ts';
import { createRandom } from '../support/random.ts';
import { type BackendProcess, createBackendProcess } from './support/backend-process.ts';

const LONG = process.env['LONG'] === '1';
const SEED = Number(process.env['KILL_SEED'] ?? Math.floor(Math.random() * 1e9));
const ROUNDS = LONG ? 100 : 2;
/** More than are sent at the same time. */
const MESSAGES = 12;

let receiver: Receiver;
let backend: BackendProcess;
beforeAll(async () => {
  receiver = await startReceiver();
  backend = createBackendProcess({ environment: { NOTIFICATION_ALLOWED_NETWORKS: '127.0.0.1' } });
  await backend.start();
});
afterAll(async () => {
  await backend.remove();
  await receiver.close();
});

interface Event {
  id: string;
  delivery_status: { state: string }[];
}

test(`${ROUNDS} kills of the sender (seed ${SEED}): every message arrives, rightly signed, and hardly one twice`, {
  timeout: 7_200_000,
}, async () => {
  const random = createRandom(SEED);
  for (let round = 0; round < ROUNDS; round++) {
    const path = `/round-${round}`;
    const at = random.between(0, MESSAGES - 1);
    const isAnswered = random.pick([true, false]);
    let killed: Promise<void> | undefined;
    receiver.behave(path, (_request, response) => {
      const isNow = receiver.received(path).length === at + 1;
      // What is sent and not answered, or answered and not written down: both are sent once more.
      if (!isNow || isAnswered) response.writeHead(204).end();
      if (isNow) killed = backend.kill();
    });
    const body = { type: 'webhook', name: path, url: receiver.url + path };
    const channel = (await backend.post('/notification/channels', body)) as { id: string; signing_secret: string };
    const rule = { type: 'invoice.created', name: path, channels: [{ id: channel.id }] };
    const { id } = (await backend.post('/notification/rules', rule)) as { id: string };
    // One that was answered is written down; after the kill there is nobody to ask.
    const told: string[] = [];
    for (let message = 0; message < MESSAGES && killed === undefined; message++) {
      const event = backend.post(`/notification/rules/${id}/test`, undefined) as Promise<Event>;
      await event.then(
        (made) => told.push(made.id),
        () => {},
      );
    }
    await expect.poll(() => killed !== undefined).toBe(true);
    await killed;
    await backend.start();
    await expect
      .poll(async () => {
        const { data } = (await backend.get(`/notification/events?filter[rule_id]=${id}&page[size]=100`)) as {
          data: Event[];
        };
        return data.every(({ delivery_status: [delivery] }) => delivery?.state === 'success');
      })
      .toBe(true);
    const received = receiver.received(path);
    for (const message of received) verify(message, channel.signing_secret);
    const ids = received.map(({ headers }) => headers['webhook-id'] ?? '');
    expect(told.filter((one) => !ids.includes(one))).toEqual([]);
    // Four at a time are on their way to a channel.
    expect(ids.length - new Set(ids).size).toBeLessThanOrEqual(4);
  }
});
