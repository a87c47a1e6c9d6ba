import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { usageDifferences } from '../support/control-engine.ts';
import { createRandom, type Random } from '../support/random.ts';
import { type BackendProcess, createBackendProcess, INGEST_TOKEN } from './support/backend-process.ts';

const LONG = process.env['LONG'] === '1';
const SEED = Number(process.env['KILL_SEED'] ?? Math.floor(Math.random() * 1e9));
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? (LONG ? 200 : 1));
/** A backend of its own for so many: each round looks at all that the rounds before it have stored. */
const ROUNDS_OF_BACKEND = 20;

/** Events in each request of each client: most gateways send them one by one. */
const CLIENTS = [...Array<number>(16).fill(1), 30, 100];
const METERS = [
  { key: 'calls', aggregation: 'count', dimensions: { route: '$.route' } },
  { key: 'amount', aggregation: 'sum', value_property: '$.amount', dimensions: { route: '$.route' } },
  { key: 'routes', aggregation: 'unique_count', value_property: '$.route' },
];
const START_MS = Date.parse('2026-11-01T00:00:00Z');

test(`${ROUNDS} kills of the backend under load (seed ${SEED}): every event answered with 202 is there, once`, {
  timeout: 7_200_000,
}, async () => {
  const random = createRandom(SEED);
  for (let round = 0; round < ROUNDS; round += ROUNDS_OF_BACKEND) {
    const backend = createBackendProcess();
    onTestFinished(() => backend.remove());
    await backend.start();
    let meter = { id: '' };
    for (const body of METERS.toReversed()) {
      meter = (await backend.post('/meters', { name: body.key, event_type: 'call', ...body })) as { id: string };
    }
    const end = Math.min(ROUNDS, round + ROUNDS_OF_BACKEND);
    for (let own = round; own < end; own++) await playRound(backend, meter.id, `round-${own}`, random);
    await backend.remove();
  }
});

async function playRound(backend: BackendProcess, meterId: string, name: string, random: Random): Promise<void> {
  const acknowledged = await sendUntilKilled(backend, name, random);
  await backend.start();
  const before = await totals(backend);
  // Roll-ups, in whatever state the fold was left, are what the events say.
  expect(await usageDifferences(backend.dataDir)).toEqual([]);
  expect(await counted(backend, meterId)).toBe(before.stored);
  // Whatever was answered with 202 is known, each event.
  const pool = new Pool(backend.url);
  for (let start = 0; start < acknowledged.length; start += 1000) {
    expect(await send(pool, acknowledged.slice(start, start + 1000))).toBe(202);
  }
  await pool.close();
  expect(await totals(backend)).toEqual({
    received: before.received + acknowledged.length,
    stored: before.stored,
    duplicates: before.duplicates + acknowledged.length,
  });
  expect(await counted(backend, meterId)).toBe(before.stored);
}

/** @returns the events that were answered with 202 */
async function sendUntilKilled(backend: BackendProcess, name: string, random: Random): Promise<TestEvent[]> {
  const acknowledged: TestEvent[] = [];
  let sent = 0;
  const pool = new Pool(backend.url, { connections: CLIENTS.length, pipelining: 1 });
  let isKilled = false;
  const first = Promise.withResolvers<void>();
  const client = async (size: number) => {
    while (!isKilled) {
      const events = Array.from({ length: size }, () => testEvent(name, sent++));
      // A request that the kill cuts off may have been stored or not.
      const status = await send(pool, events).catch(() => undefined);
      if (status !== 202) {
        if (!isKilled) first.reject(new Error(`answered ${status} before the kill`));
        return;
      }
      acknowledged.push(...events);
      first.resolve();
    }
  };
  const clients = CLIENTS.map(client);
  await first.promise;
  await pause(random.between(0, 700));
  isKilled = true;
  await backend.kill();
  await Promise.all(clients);
  await pool.destroy();
  return acknowledged;
}

type TestEvent = ReturnType<typeof testEvent>;

function testEvent(name: string, index: number) {
  return {
    specversion: '1.0',
    id: `${name}-${index}`,
    source: 'kill-test',
    type: 'call',
    subject: `customer-${index % 13}`,
    time: new Date(START_MS + ((index * 7_919_000) % (40 * 86_400_000))).toISOString(),
    data: { amount: `${index % 97}.0000000000000000001`, route: `route-${index % 5}` },
  };
}

async function send(pool: Pool, events: readonly TestEvent[]): Promise<number> {
  const isSingle = events.length === 1;
  const { statusCode, body } = await pool.request({
    method: 'POST',
    path: '/v3/openmeter/events',
    headers: {
      authorization: `Bearer ${INGEST_TOKEN}`,
      'content-type': isSingle ? 'application/cloudevents+json' : 'application/cloudevents-batch+json',
    },
    body: JSON.stringify(isSingle ? events[0] : events),
  });
  await body.dump();
  return statusCode;
}

const totals = (backend: BackendProcess) =>
  backend.get('/ingest-totals') as Promise<{ received: number; stored: number; duplicates: number }>;

async function counted(backend: BackendProcess, meterId: string): Promise<number> {
  const { data } = (await backend.post(`/meters/${meterId}/query`, {})) as { data: { value: string }[] };
  return Number(data[0]?.value);
}
