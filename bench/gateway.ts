// What one log event costs in the plugin server: Kong's own server with our plugin, our server with our plugin, and a
// server that only reads frames and drops them (the limit). 64 connections over a real socket, recorded log entries,
// rounds that take turns; CPU is that of the server's process alone.
//   npm run build:plugin && npm run bench:gateway -- [--events N] [--rounds N]
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  connectPlayer,
  connectProtobufPlayer,
  kongConfig,
  recordings,
  startPluginServer,
  startStockPluginServer,
} from '../test/gateway-player/index.ts';
import { driveMsgpack, driveProtobuf } from './gateway-driver.ts';
import { cpuSeconds, startProcess } from './processes.ts';
import { ratioLine } from './report.ts';

const CONNECTIONS = 64;
const { values } = parseArgs({
  options: { events: { type: 'string', default: '30000' }, rounds: { type: 'string', default: '5' } },
});
const events = Number.parseInt(values.events, 10);
const rounds = Number.parseInt(values.rounds, 10);

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
  stop(): Promise<unknown>;
}

async function stock(): Promise<Server> {
  const server = await startStockPluginServer({ pluginDir, env: { METERING_SPOOL_DIR: join(folder, 'stock') } });
  const startInstance = () => once(connectPlayer(server.socketPath, { connections: 1 }));
  return { ...server, startInstance, drive: driveMsgpack, stop: () => server.terminate() };
}

async function ours(): Promise<Server> {
  const server = await startPluginServer({ pluginDir, env: { METERING_SPOOL_DIR: join(folder, 'ours') } });
  const startInstance = () => once(connectProtobufPlayer(server.socketPath, { connections: 1 }));
  return { ...server, startInstance, drive: driveProtobuf, stop: () => server.terminate() };
}

async function limit(): Promise<Server> {
  const socketPath = join(folder, `limit-${Math.random()}.sock`);
  const child = spawn(process.execPath, ['bench/frame-dropping-server.ts', socketPath], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await new Promise((listening) => child.stderr.once('data', listening));
  const startInstance = () => once(connectProtobufPlayer(socketPath, { connections: 1 }));
  return { pid: child.pid ?? 0, socketPath, startInstance, drive: driveProtobuf, stop: async () => child.kill() };
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
  await run(Math.min(events, 5000)); // warm
  const cpuBefore = cpuSeconds(server.pid);
  const startedAt = performance.now();
  await run(events);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = cpuSeconds(server.pid) - cpuBefore;
  await server.stop();
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
