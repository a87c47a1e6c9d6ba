import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { filesIn, idsOnDisk } from '../support/plugin/spool.ts';
import { endAsKongDoes } from '../support/process-cpu.ts';
import { createRandom, type Random } from '../support/random.ts';
import { type BackendProcess, createBackendProcess } from './support/backend-process.ts';
import { FAULTS, type FaultyProxy, startFaultyProxy } from './support/faulty-proxy.ts';
import { BAD, type Gateway, type Load, startGateway } from './support/gateway.ts';
import { countOf, eventIdsOf, ledger, METER } from './support/usage.ts';

const LONG = process.env['LONG'] === '1';
const SEED = Number(process.env['CRASH_SEED'] ?? Math.floor(Math.random() * 1e9));
const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? (LONG ? 120 : 4));

/**
 * What a killed plugin server may lose: the window of 20 ms, and what a loaded machine adds to it, since an event waits
 * in the socket before the server reads it.
 */
const WINDOW_MS = 500;

const ENDS = [
  'the plugin server is killed',
  'the backend is killed',
  'both are killed',
  'the plugin server is stopped',
  'a reload',
  'nothing',
] as const;
type End = (typeof ENDS)[number];

let folder: string;
let spoolDir: string;
let backend: BackendProcess;
let proxy: FaultyProxy;
let gateway: Gateway;
let random: Random;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'crash-'));
  spoolDir = join(folder, 'spool');
  backend = createBackendProcess();
  proxy = await startFaultyProxy(createRandom(SEED), (body) => body.includes(BAD));
  await startBackend();
  await backend.post('/meters', METER);
  gateway = await start();
});

afterAll(async () => {
  gateway.close();
  await gateway.server.kill();
  await proxy.close();
  await backend.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function startBackend(): Promise<void> {
  await backend.start();
  proxy.upstream = backend.url;
}

function start(): Promise<Gateway> {
  const endpoint = `http://127.0.0.1:${proxy.port}/v3/openmeter/events`;
  return startGateway({ endpoint, spoolDir, socketPath: join(folder, 'kong.sock') });
}

/** What must arrive after a round, whatever happened in it. */
interface Safe {
  readonly begun: readonly string[];
  readonly safe: ReadonlySet<string>;
}

test(
  `${ROUNDS} rounds under load: what was on disk is stored exactly once, and the ledger agrees`,
  async () => {
    for (let round = 0; round < ROUNDS; round++) {
      // A stream for each round: what happens in one must not hang on how many requests there were before.
      random = createRandom(SEED + round);
      // Each end once, and then at random.
      const end = ENDS[round] ?? random.pick(ENDS);
      proxy.fault = random.pick(FAULTS);
      const what = `seed ${SEED}, round ${round}: ${end}, the backend: ${proxy.fault}`;
      try {
        await playRound(`round-${round}`, end);
      } catch (error) {
        throw new Error(`${what}\n${gateway.server.stderr().slice(-3000)}`, { cause: error });
      }
    }
    await gateway.server.terminate();
    expect(idsOnDisk(spoolDir)).toEqual([]);
    await checkLedger();
  },
  LONG ? 3_600_000 : 300_000,
);

async function playRound(consumer: string, end: End): Promise<void> {
  const load = gateway.load(consumer);
  await pause(random.between(100, 700));
  const { begun, safe } = await bringAbout(end, consumer, load);
  proxy.fault = 'none';
  await expect
    .poll(async () => notIn(safe, await eventIdsOf(backend, consumer)), { timeout: 30_000, interval: 50 })
    .toEqual([]);
  await expect.poll(leftBehind, { timeout: 30_000, interval: 20 }).toEqual([]);
  const stored = await eventIdsOf(backend, consumer);
  expect(stored.filter((id) => !begun.includes(id) || id.includes(BAD))).toEqual([]);
  expect(stored).toHaveLength(new Set(stored).size);
  expect(await countOf(backend, consumer)).toBe(stored.length);
  const refused = deadLetters();
  expect([...safe].filter((id) => id.includes(BAD) && !refused.has(id))).toEqual([]);
}

async function bringAbout(end: End, consumer: string, load: Load): Promise<Safe> {
  switch (end) {
    case 'the plugin server is killed':
      return restart(load, () => gateway.server.kill());
    case 'the plugin server is stopped':
      return restart(load, stopAsKongDoes);
    case 'both are killed': {
      const safe = await restart(load, () => Promise.all([gateway.server.kill(), backend.kill()]));
      await startBackend();
      return safe;
    }
    case 'the backend is killed':
      await backend.kill();
      await pause(random.between(0, 200));
      await Promise.all([startBackend(), load.stop()]);
      return finished([load]);
    case 'a reload':
      return reload(consumer, load);
    case 'nothing':
      return finished([load]);
  }
}

/** All requests have been logged, and nothing has happened to their events. */
async function finished(loads: readonly Load[]): Promise<Safe> {
  await Promise.all(loads.map((load) => load.stop()));
  const begun = loads.flatMap((load) => [...load.begun]);
  return { begun, safe: new Set(loads.flatMap((load) => [...load.loggedAt.keys()])) };
}

async function restart(load: Load, endIt: () => Promise<unknown>): Promise<Safe> {
  const endsAt = performance.now();
  const isStopped = endIt === stopAsKongDoes;
  await endIt();
  const safe = new Set(idsOnDisk(spoolDir).filter((id) => load.begun.has(id)));
  for (const [id, at] of load.loggedAt) if (at < endsAt - (isStopped ? 0 : WINDOW_MS)) safe.add(id);
  await load.stop();
  gateway.close();
  gateway = await start();
  return { begun: [...load.begun], safe };
}

const stopAsKongDoes = () => stopServer(gateway);

function stopServer({ server }: Gateway): Promise<void> {
  return endAsKongDoes(server.pid, server.exited, random.between(46, 80));
}

/** A second server takes the socket over while the first one still has the old workers' requests. */
async function reload(consumer: string, load: Load): Promise<Safe> {
  const old = gateway;
  gateway = await start();
  const next = gateway.load(consumer);
  await pause(random.between(50, 200));
  // The old workers finish their requests, and end; the old server is told to end by the last of them.
  await load.stop();
  await stopServer(old);
  old.close();
  await pause(random.between(0, 100));
  const all = await finished([load, next]);
  // The next one looks for the dead every few seconds, and whenever a configuration changes.
  await gateway.reconfigure();
  return all;
}

function notIn(wanted: ReadonlySet<string>, stored: readonly string[]): string[] {
  const found = new Set(stored);
  return [...wanted].filter((id) => !found.has(id) && !id.includes(BAD));
}

/** Folders of dead processes in which there is still something to do, and files of the living one with events unsent. */
function leftBehind(): string[] {
  const files = filesIn(spoolDir).filter((path) => path.endsWith('.events'));
  const folders = new Set(files.map((path) => path.split('/').slice(0, -1).join('/')));
  return [...folders].filter((path) => path.includes('/adopted/')).concat(folders.size > 1 ? [...folders] : []);
}

function deadLetters(): Set<string> {
  const dir = join(spoolDir, 'dead-letter');
  let names: string[] = [];
  try {
    names = readdirSync(dir);
  } catch {
    // Nothing was ever refused.
  }
  const lines = names.flatMap((name) => readFileSync(join(dir, name), 'utf8').split('\n'));
  return new Set(
    lines.flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as { event: { id: string } }).event.id])),
  );
}

async function checkLedger(): Promise<void> {
  const processes = await ledger(backend);
  const totals = (await backend.get('/ingest-totals')) as { stored: number };
  expect(processes.reduce((sum, { stored }) => sum + stored, 0)).toBe(totals.stored);
  for (const entry of processes) {
    const { received, stored, duplicates, rejected, last_number: last = 0, missing_count: missing, taken = 0 } = entry;
    expect(received, JSON.stringify(entry)).toBe(stored + duplicates + rejected);
    expect(stored, JSON.stringify(entry)).toBe(last - missing);
    // Nothing is missing but what was refused, and that is said.
    expect(missing, JSON.stringify(entry)).toBeLessThanOrEqual(entry.dropped['rejected'] ?? 0);
    expect(taken, JSON.stringify(entry)).toBeGreaterThanOrEqual(last);
    expect(Object.keys(entry.dropped).filter((reason) => reason !== 'rejected')).toEqual([]);
  }
}
