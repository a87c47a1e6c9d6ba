// What one log event costs in the plugin server: Kong's own server with our plugin, our server with our plugin, and a
// server that only reads frames and drops them (the limit). 64 connections over a real socket, recorded log entries,
// rounds that take turns; CPU is that of the server's processes alone. A connection that fails, or an event that does not
// arrive, ends the run.
//   npm run bench:gateway -- [--events N] [--rounds N] [--workers N]
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../plugin/metering-and-billing/config.ts';
import { usageOf } from '../plugin/metering-and-billing/usage-events.ts';
import {
  connectPlayer,
  connectProtobufPlayer,
  kongConfig,
  type PluginServer,
  recordings,
  startPluginServer,
  startStockPluginServer,
} from '../test/gateway-player/index.ts';
import { driveMsgpack, driveProtobuf } from './gateway-driver.ts';
import { startProcess, treeCpuSeconds } from './processes.ts';
import { ratioLine } from './report.ts';

const CONNECTIONS = 64;
const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '30000' },
    rounds: { type: 'string', default: '5' },
    workers: { type: 'string', default: '1' },
  },
});
const events = Number.parseInt(values.events, 10);
const warmUp = Math.min(events, 5000);
const rounds = Number.parseInt(values.rounds, 10);
const workers = Number.parseInt(values.workers, 10);

const pluginDir = resolve('dist/plugin/metering-and-billing');
const entries = recordings()
  .map(({ json }) => json)
  .filter((json) => json.includes('"username":"alice"'));
const folder = mkdtempSync(join(tmpdir(), 'bench-gateway-'));
const receiver = await startProcess(['bench/event-receiver.ts'], {});
const config = kongConfig({
  ingest_endpoint: `${receiver.url}/v3/openmeter/events`,
  api_token: 'bench-token',
  queue: { max_batch_size: 1000, max_entries: 1_000_000 },
});

interface Server {
  pid: number;
  socketPath: string;
  startInstance(): Promise<number>;
  drive: typeof driveProtobuf;
  /** Resolves with what it wrote. */
  stop(): Promise<string>;
}

async function stock(): Promise<Server> {
  const server = await startStockPluginServer({ pluginDir, env: { METERING_SPOOL_DIR: join(folder, 'stock') } });
  const startInstance = () => once(connectPlayer(server.socketPath, { connections: 1 }));
  return { ...server, startInstance, drive: driveMsgpack, stop: () => ended(server) };
}

async function ours(): Promise<Server> {
  const server = await startPluginServer({ pluginDir, workers, env: { METERING_SPOOL_DIR: join(folder, 'ours') } });
  const startInstance = () => once(connectProtobufPlayer(server.socketPath, { connections: 1 }));
  return { ...server, startInstance, drive: driveProtobuf, stop: () => ended(server) };
}

async function limit(): Promise<Server> {
  const socketPath = join(folder, `limit-${Math.random()}.sock`);
  const child = spawn(process.execPath, ['bench/frame-dropping-server.ts', socketPath], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await new Promise((listening) => child.stderr.once('data', listening));
  const startInstance = () => once(connectProtobufPlayer(socketPath, { connections: 1 }));
  const stop = async (): Promise<string> => {
    child.kill();
    return '';
  };
  return { pid: child.pid ?? 0, socketPath, startInstance, drive: driveProtobuf, stop };
}

async function ended(server: PluginServer): Promise<string> {
  await server.terminate();
  return server.stderr();
}

/** Events that these entries come to, as often as the driver has sent each. */
function expectedEvents(...counts: number[]): number {
  const { config: read } = readConfig(config);
  const each = entries.map((json) => (read ? usageOf(read.metering, json).events.length : 0));
  let sum = 0;
  for (const count of counts) for (let sent = 1; sent <= count; sent++) sum += each[sent % each.length] ?? 0;
  return sum;
}

/** Each process says at its end what it has taken, and what the backend has confirmed. */
function checkNothingLost(written: string): void {
  const totals = { taken: 0, sent: 0 };
  for (const [, taken, sent] of written.matchAll(/"delivery stopped","taken":(\d+),"sent":(\d+)/g)) {
    totals.taken += Number(taken);
    totals.sent += Number(sent);
  }
  const expected = expectedEvents(warmUp, events);
  if (totals.taken !== expected || totals.sent !== expected) {
    throw new Error(`of ${expected} events ${totals.taken} were taken and ${totals.sent} sent`);
  }
}

async function once(player: ReturnType<typeof connectPlayer>): Promise<number> {
  const id = await player.startInstance('metering-and-billing', config);
  player.close();
  return id;
}

interface Figures {
  perSecond: number;
  cpuMicroseconds: number;
}

async function measure(start: () => Promise<Server>): Promise<Figures> {
  const server = await start();
  const instanceId = await server.startInstance();
  const run = (count: number) =>
    server.drive({ socketPath: server.socketPath, instanceId, entries, events: count, connections: CONNECTIONS });
  await run(warmUp);
  const cpuBefore = treeCpuSeconds(server.pid);
  const startedAt = performance.now();
  await run(events);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = treeCpuSeconds(server.pid) - cpuBefore;
  const written = await server.stop();
  if (start !== limit) checkNothingLost(written);
  return { perSecond: events / seconds, cpuMicroseconds: (cpu / events) * 1e6 };
}

const ratios = { overStock: [] as number[], cpuOfStock: [] as number[], ofLimit: [] as number[] };
for (let round = 0; round < rounds; round++) {
  const [a, b, c] = [await measure(stock), await measure(ours), await measure(limit)];
  ratios.overStock.push(b.perSecond / a.perSecond);
  ratios.cpuOfStock.push(b.cpuMicroseconds / a.cpuMicroseconds);
  ratios.ofLimit.push(b.perSecond / c.perSecond);
  const show = ({ perSecond, cpuMicroseconds }: Figures) =>
    `${Math.round(perSecond).toLocaleString('en')}/s, ${cpuMicroseconds.toFixed(0)} µs CPU`;
  process.stdout.write(`round ${round + 1}: stock ${show(a)}; ours ${show(b)}; only reading ${show(c)}\n`);
}
process.stdout.write(`${ratioLine('events/s, ours / stock server', ratios.overStock, 1.8)}\n`);
process.stdout.write(`${ratioLine('events/s, ours / only reading frames', ratios.ofLimit, 0.75)}\n`);
process.stdout.write(`${ratioLine('CPU an event, ours / stock server', ratios.cpuOfStock, 1 / 1.8, 'at most')}\n`);
await receiver.stop();
rmSync(folder, { recursive: true });
