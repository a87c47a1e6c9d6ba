// What storing costs over HTTP, against the store alone (batches of 100 on 16 connections) and against a Hono route that
// only parses and validates (single events on 64 connections). Rounds take turns; the backend is a process of its own.
//   npm run bench:http -- [--events N] [--rounds N]
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { openSqliteUsageStore } from '../backend/usage-store/index.ts';
import { gatewayEvents } from './gateway-events.ts';
import { startProcess } from './processes.ts';
import { ratioLine } from './report.ts';

const TOKEN = 'bench-admin-token-0123456789';
const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '5' },
    dir: { type: 'string', default: tmpdir() },
  },
});
const eventsPerRound = Number.parseInt(values.events, 10);
const rounds = Number.parseInt(values.rounds, 10);
const folder = mkdtempSync(join(values.dir, 'bench-http-'));

const store = await openSqliteUsageStore(join(folder, 'store.sqlite'), { nowMs: () => Date.now() });
const backend = await startProcess(['bin/backend.js'], {
  DATA_DIR: join(folder, 'data'),
  PORT: '0',
  ADMIN_TOKEN: TOKEN,
  LOG_LEVEL: 'info',
});
const validating = await startProcess(['bench/validating-server.ts'], {});
const ratios = { batches: [] as number[], singles: [] as number[] };
for (let round = 0; round < rounds; round++) {
  const storeRate = await rate(eventsPerRound, async () => {
    const events = gatewayEvents(eventsPerRound, round * eventsPerRound, () => randomUUID());
    return async () => {
      for (let start = 0; start < events.length; start += 1000) await store.append(events.slice(start, start + 1000));
    };
  });
  const batchRate = await rate(eventsPerRound, async () =>
    load(backend.url, bodies(eventsPerRound, 100), 16, 'application/cloudevents-batch+json'),
  );
  const singles = Math.min(eventsPerRound, 20_000);
  const singleRate = await rate(singles, async () =>
    load(backend.url, bodies(singles, 1), 64, 'application/cloudevents+json'),
  );
  const validatingRate = await rate(singles, async () =>
    load(validating.url, bodies(singles, 1), 64, 'application/cloudevents+json'),
  );
  ratios.batches.push(batchRate / storeRate);
  ratios.singles.push(singleRate / validatingRate);
  const show = (value: number) => Math.round(value).toLocaleString('en');
  process.stdout.write(
    `round ${round + 1}: store ${show(storeRate)}/s, HTTP batches ${show(batchRate)}/s, HTTP singles ${show(singleRate)}/s, only validating ${show(validatingRate)}/s\n`,
  );
}
process.stdout.write(`${ratioLine('HTTP batches of 100, 16 connections / store', ratios.batches, 0.6)}\n`);
process.stdout.write(
  `${ratioLine('HTTP single events, 64 connections / route that only validates', ratios.singles, 0.6)}\n`,
);
process.stdout.write(`backend memory: ${Math.round(backend.memoryBytes() / 1e6)} MB resident\n`);
await backend.stop();
await validating.stop();
await store.close();
rmSync(folder, { recursive: true });

async function rate(events: number, prepare: () => Promise<() => Promise<void>>): Promise<number> {
  const work = await prepare();
  const start = performance.now();
  await work();
  return events / ((performance.now() - start) / 1000);
}

function bodies(events: number, size: number): string[] {
  const all = gatewayEvents(events, 0, () => randomUUID()).map(
    ({ id, source, type, subject, timeMs, data }) =>
      `{"specversion":"1.0","id":"${id}","source":"${source}","type":"${type}","subject":"${subject}","time":"${new Date(timeMs).toISOString()}","datacontenttype":"application/json","data":${data}}`,
  );
  if (size === 1) return all;
  return Array.from(
    { length: Math.ceil(all.length / size) },
    (_, index) => `[${all.slice(index * size, (index + 1) * size).join(',')}]`,
  );
}

/** Sends all bodies over the given number of connections. */
function load(url: string, all: readonly string[], connections: number, contentType: string): () => Promise<void> {
  return async () => {
    const pool = new Pool(url, { connections, pipelining: 1 });
    let next = 0;
    const client = async () => {
      for (let index = next++; index < all.length; index = next++) {
        const { statusCode, body } = await pool.request({
          method: 'POST',
          path: '/v3/openmeter/events',
          headers: { authorization: `Bearer ${TOKEN}`, 'content-type': contentType },
          body: all[index] ?? '',
        });
        await body.dump();
        if (statusCode !== 202) throw new Error(`answered ${statusCode}`);
      }
    };
    await Promise.all(Array.from({ length: connections }, client));
    await pool.close();
  };
}
