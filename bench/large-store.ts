// Many events by HTTP, and what then is: the backend's memory on the way, how long a start takes after a SIGKILL under
// load, and what storing costs on top of them, against a bare table (as bench:store). Needs 0.7 kB of disk for each event.
//   npm run bench:large -- [--events N] [--kills N] [--rounds N] [--dir FOLDER]
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openSqliteUsageStore } from '../backend/metering/usage-store/index.ts';
import { openBareTable } from './bare-table.ts';
import { gatewayEvents } from './gateway-events.ts';
import { BATCH, bodies, call, REQUESTS_METER, sendAll, TOKEN } from './http-load.ts';
import { type BenchProcess, startProcess } from './processes.ts';
import { ratioLine } from './report.ts';

const CHUNK = 100_000;
const LIMIT = 0.3;

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '10000000' },
    kills: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
    dir: { type: 'string', default: tmpdir() },
  },
});
const total = Number.parseInt(values.events, 10);
const folder = mkdtempSync(join(values.dir, 'bench-large-'));
const dataDir = join(folder, 'data');
let most = 0;

let backend = await start();
say(`started, ${megabytes(backend.memoryBytes())} resident`);
await call(backend.url, 'POST', '/meters', REQUESTS_METER);
const sampling = setInterval(() => {
  most = Math.max(most, backend.memoryBytes());
}, 250);
let sendingMs = 0;
for (let done = 0; done < total; done += CHUNK) {
  // Made before the clock runs: the client's work is not what is measured.
  const batches = bodies(Math.min(CHUNK, total - done), 100, done, total);
  const startedAt = performance.now();
  await sendAll(backend.url, batches, 16, BATCH);
  sendingMs += performance.now() - startedAt;
  const stored = done + CHUNK;
  if ((stored * 10) % total < CHUNK * 10) {
    const memory = `${megabytes(backend.memoryBytes())} resident, at most ${megabytes(most)}`;
    say(`${stored.toLocaleString('en')} events: ${show((stored / sendingMs) * 1000)}/s so far, ${memory}`);
  }
}
const { stored } = (await call(backend.url, 'GET', '/ingest-totals')) as { stored: number };
if (stored !== total) throw new Error(`${stored} events are stored instead of ${total}`);
for (let kill = 1; kill <= Number.parseInt(values.kills, 10); kill++) await killAndStart();
clearInterval(sampling);
await backend.stop();
await storeOnTop();
rmSync(folder, { recursive: true });

async function killAndStart(): Promise<void> {
  const load = sendAll(backend.url, bodies(CHUNK, 100, 0, total), 16, BATCH).catch(() => 'cut off');
  await pause(1000);
  await backend.kill();
  if ((await load) !== 'cut off') throw new Error('the load had ended before the kill');
  const startedAt = performance.now();
  backend = await start();
  const listening = performance.now() - startedAt;
  const body = { from: '2026-10-01T00:00:00Z', to: '2026-11-01T00:00:00Z' };
  const { data } = (await call(backend.url, 'GET', '/meters')) as { data: { id: string }[] };
  await call(backend.url, 'POST', `/meters/${data[0]?.id}/query`, body);
  const answered = performance.now() - startedAt;
  const after = `the first query was answered after ${(answered / 1000).toFixed(1)} s`;
  say(
    `killed under load with ${total.toLocaleString('en')} events: took requests after ${(listening / 1000).toFixed(1)} s, ${after}`,
  );
}

/** The same rows in the same transactions, in turn: on top of all that is stored, and in a bare table. */
async function storeOnTop(): Promise<void> {
  const store = await openSqliteUsageStore(join(dataDir, 'usage.sqlite'), { nowMs: () => Date.now() });
  const bare = openBareTable(join(folder, 'bare.sqlite'));
  const ratios: number[] = [];
  for (let round = 0; round < Number.parseInt(values.rounds, 10); round++) {
    const events = gatewayEvents(CHUNK, total - CHUNK + round, () => randomUUID(), total);
    const batches = Array.from({ length: CHUNK / 1000 }, (_, index) => events.slice(index * 1000, index * 1000 + 1000));
    const began = performance.now();
    for (const batch of batches) bare.insert(batch);
    const between = performance.now();
    for (const batch of batches) await store.append(batch);
    ratios.push((between - began) / (performance.now() - between));
  }
  say(ratioLine(`store with a meter, ${total.toLocaleString('en')} events stored / bare table`, ratios, LIMIT));
  bare.close();
  await store.close();
}

function start(): Promise<BenchProcess> {
  return startProcess(['bin/backend.js'], { DATA_DIR: dataDir, PORT: '0', ADMIN_TOKEN: TOKEN, LOG_LEVEL: 'info' });
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

function show(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
