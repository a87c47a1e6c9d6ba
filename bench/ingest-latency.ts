// How long single events wait for their 202 while a heavy query runs, against without; and what memory the backend has.
// Events come at a steady pace over 64 connections; each waits from the moment at which it was due, so that a backend that
// stalls is charged with all that it kept waiting. The heavy query reads every stored event of the month, again and again.
//   npm run bench:latency -- [--events N] [--per-second N] [--seconds N] [--rounds N] [--dir FOLDER]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { MONTH } from './gateway-events.ts';
import { BATCH, bodies, call, REQUESTS_METER, SINGLE, send, sendAll, TOKEN } from './http-load.ts';
import { startProcess } from './processes.ts';
import { ratioLine } from './report.ts';

const CONNECTIONS = 64;
const LIMIT = 2;

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    'per-second': { type: 'string', default: '500' },
    seconds: { type: 'string', default: '15' },
    rounds: { type: 'string', default: '5' },
    dir: { type: 'string', default: tmpdir() },
  },
});
const stored = Number.parseInt(values.events, 10);
const perSecond = Number.parseInt(values['per-second'], 10);
const seconds = Number.parseInt(values.seconds, 10);
const folder = mkdtempSync(join(values.dir, 'bench-latency-'));
const backend = await startProcess(['bin/backend.js'], {
  DATA_DIR: join(folder, 'data'),
  PORT: '0',
  ADMIN_TOKEN: TOKEN,
  LOG_LEVEL: 'info',
});
const megabytes = () => `${Math.round(backend.memoryBytes() / 1e6)} MB`;
say(`backend started, ${megabytes()} resident`);
const meter = (await call(backend.url, 'POST', '/meters', REQUESTS_METER)) as { id: string };
for (let done = 0; done < stored; done += 100_000) {
  await sendAll(backend.url, bodies(Math.min(100_000, stored - done), 1000, done, stored), 4, BATCH);
}
say(`${stored.toLocaleString('en')} events stored, ${megabytes()} resident`);
const pool = new Pool(backend.url, { connections: CONNECTIONS, pipelining: 1 });
await load(1000);

const ratios: Record<'p50' | 'p99', number[]> = { p50: [], p99: [] };
for (let round = 1; round <= Number.parseInt(values.rounds, 10); round++) {
  const alone = await load(perSecond * seconds);
  const heavy = queryUntilAborted();
  const beside = await load(perSecond * seconds);
  const queries = await heavy();
  ratios.p50.push(beside.p50 / alone.p50);
  ratios.p99.push(beside.p99 / alone.p99);
  const show = ({ p50, p99 }: { p50: number; p99: number }) => `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
  say(`round ${round}: alone ${show(alone)}; beside ${queries} heavy queries ${show(beside)}; ${megabytes()} resident`);
}
say(
  ratioLine(`p50 of ${perSecond} single events a second, beside a heavy query / alone`, ratios.p50, LIMIT, 'at most'),
);
say(
  ratioLine(`p99 of ${perSecond} single events a second, beside a heavy query / alone`, ratios.p99, LIMIT, 'at most'),
);
await pool.close();
await backend.stop();
rmSync(folder, { recursive: true });

/** Sends single events at the pace. @returns milliseconds from when an event was due until its 202 */
async function load(count: number): Promise<{ p50: number; p99: number }> {
  const all = bodies(count, 1);
  const startedAt = performance.now();
  const waits: Promise<number>[] = [];
  while (waits.length < all.length) {
    const dueNow = Math.min(all.length, Math.floor(((performance.now() - startedAt) / 1000) * perSecond));
    while (waits.length < dueNow)
      waits.push(wait(all[waits.length] ?? '', startedAt + (waits.length / perSecond) * 1000));
    await pause(1);
  }
  const sorted = (await Promise.all(waits)).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

async function wait(body: string, dueAt: number): Promise<number> {
  await send(pool, body, SINGLE);
  return performance.now() - dueAt;
}

/** @returns ends it, and tells how many queries it was */
function queryUntilAborted(): () => Promise<number> {
  const abort = new AbortController();
  let queries = 0;
  const running = (async () => {
    while (!abort.signal.aborted) {
      const response = await fetch(`${backend.url}/v3/openmeter/meters/${meter.id}/query`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          from: new Date(MONTH.fromMs).toISOString(),
          to: new Date(MONTH.toMs).toISOString(),
          // By the minute: not kept ahead, so all events of the month are read.
          granularity: 'PT1M',
        }),
        signal: abort.signal,
      });
      if (!response.ok) throw new Error(`the heavy query was answered with ${response.status}`);
      await response.arrayBuffer();
      queries++;
    }
  })();
  return async () => {
    abort.abort();
    await running.catch((error: unknown) => {
      if (!abort.signal.aborted) throw error;
    });
    return queries;
  };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
