// What storing costs over HTTP, against the store alone (batches of 100 on 16 connections) and against a Hono route that
// only parses and validates (single events on 64 connections). Rounds take turns; the backend is a process of its own.
//   npm run bench:http -- [--events N] [--rounds N]
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openSqliteUsageStore } from '../backend/metering/usage-store/index.ts';
import { gatewayEvents } from './gateway-events.ts';
import { BATCH, bodies, SINGLE, sendAll, TOKEN } from './http-load.ts';
import { startProcess } from './processes.ts';
import { ratioLine } from './report.ts';

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
  const load = async (url: string, events: number, size: number, connections: number) => {
    const all = bodies(events, size);
    return () => sendAll(url, all, connections, size === 1 ? SINGLE : BATCH);
  };
  const batchRate = await rate(eventsPerRound, () => load(backend.url, eventsPerRound, 100, 16));
  const singles = Math.min(eventsPerRound, 20_000);
  const singleRate = await rate(singles, () => load(backend.url, singles, 1, 64));
  const validatingRate = await rate(singles, () => load(validating.url, singles, 1, 64));
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
