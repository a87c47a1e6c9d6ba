// What the plugin's delivery part keeps in memory: while many events pass, and while the backend is down and they wait on
// disk. It is to be bounded by the settings of the queue, however many events there are.
//   npm run bench:gateway-memory -- [--events N] [--outage-events N] [--per-second N] [--full]
// The full form: 10 million events, and an hour of 1,000 events a second without a backend.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { DeliveryCounters } from '../plugin/delivery/index.ts';
import { readConfig } from '../plugin/metering-and-billing/config.ts';
import { usageOf } from '../plugin/metering-and-billing/usage-events.ts';
import { recordings } from '../test/gateway-player/index.ts';
import { startCountingReceiver } from './counting-receiver.ts';
import type { Pushes, PushingTask } from './pushing-process.ts';
import { ratioLine } from './report.ts';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '300000' },
    'outage-events': { type: 'string', default: '200000' },
    'per-second': { type: 'string', default: '20000' },
    full: { type: 'boolean', default: false },
  },
});
const events = values.full ? 10_000_000 : Number.parseInt(values.events, 10);
const outageEvents = values.full ? 3_600_000 : Number.parseInt(values['outage-events'], 10);
const perSecond = Number.parseInt(values['per-second'], 10);
const MIB = 1024 * 1024;
/** The collector lets go of what is dead when it likes: half as much again is no growth. */
const MOST_GROWTH = 1.5;

const folder = mkdtempSync(join(tmpdir(), 'bench-memory-'));
const receiver = await startCountingReceiver();
const child = spawn(process.execPath, ['bench/pushing-process.ts', JSON.stringify(task())], {
  env: {
    ...process.env,
    METERING_SPOOL_DIR: folder,
    METERING_SPOOL_MAX_BYTES: String(16 * 1024 * MIB),
    METERING_CATCH_UP_EVENTS_PER_SECOND: '100000',
  },
  stdio: ['pipe', 'pipe', 'inherit'],
});
const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

/** A recorded request with the default settings of the queue, but for larger batches. */
function task(): PushingTask {
  const { config } = readConfig({
    ingest_endpoint: receiver.url,
    api_token: 'bench-token',
    queue: { max_batch_size: 1000, max_retry_delay: 1 },
  });
  const entry = recordings().find(({ json }) => json.includes('"username":"alice"') && !json.includes('"ai":'));
  if (config === undefined || entry === undefined) throw new Error('there is no recorded request');
  const event = JSON.stringify(usageOf(config.metering, entry.json).events[0]);
  return { settings: config.delivery, json: event.replace(/"id":"[^"]+"/, '"id":"EVENT-ID"') };
}

function residentBytes(): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? '0';
  return Number.parseInt(kilobytes, 10) * 1024;
}

/** Pushes, and returns the counters with the most memory that was seen on the way. */
async function push(count: number): Promise<{ counters: DeliveryCounters; peakBytes: number }> {
  let peakBytes = 0;
  const sampling = setInterval(() => {
    peakBytes = Math.max(peakBytes, residentBytes());
  }, 50);
  child.stdin.write(`${JSON.stringify({ events: count, perSecond } satisfies Pushes)}\n`);
  const answer = await answers.next();
  clearInterval(sampling);
  return { counters: JSON.parse(String(answer.value)) as DeliveryCounters, peakBytes };
}

async function allArrive(): Promise<void> {
  while (receiver.accepted < pushed - lost) await pause(100);
}

function spoolBytes(): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
}

const inMebibytes = (bytes: number) => `${Math.round(bytes / MIB).toLocaleString('en')} MiB`;
const say = (line: string) => void process.stdout.write(`${line}\n`);
let pushed = 0;
/** Dropped, which must not happen here. */
let lost = 0;

/** A tenth of the events, and then the others: what grows with their number shows in the second part. */
async function part(what: string, count: number): Promise<void> {
  const startedAt = performance.now();
  const first = await push(Math.ceil(count / 10));
  const others = await push(count - Math.ceil(count / 10));
  pushed += count;
  const seconds = (performance.now() - startedAt) / 1000;
  say(`${what}: ${count.toLocaleString('en')} events, ${Math.round(count / seconds).toLocaleString('en')} a second`);
  say(
    `  memory at most: ${inMebibytes(first.peakBytes)} in the first tenth, ${inMebibytes(others.peakBytes)} afterwards`,
  );
  const { waiting, dropped } = others.counters;
  lost = Object.values(dropped).reduce((sum, dropCount) => sum + dropCount, 0);
  say(
    `  ${waiting.toLocaleString('en')} waiting, ${inMebibytes(spoolBytes())} on disk, dropped ${JSON.stringify(dropped)}`,
  );
  say(
    `  ${ratioLine('memory afterwards / in the first tenth', [others.peakBytes / first.peakBytes], MOST_GROWTH, 'at most')}`,
  );
}

// The code is compiled and the buffers are made.
await push(20_000);
pushed = 20_000;
await allArrive();
say(`warm: ${inMebibytes(residentBytes())}`);
await part('while the backend takes them', events);
await allArrive();
receiver.isDown = true;
await part('while the backend is down', outageEvents);
receiver.isDown = false;
const backAt = performance.now();
await allArrive();
say(
  `everything has arrived ${Math.round((performance.now() - backAt) / 1000)} s after the backend is back; memory ${inMebibytes(residentBytes())}`,
);
say(`arrived: ${receiver.accepted.toLocaleString('en')} of ${pushed.toLocaleString('en')}`);
child.kill('SIGTERM');
await once(child, 'exit');
receiver.close();
rmSync(folder, { recursive: true });
