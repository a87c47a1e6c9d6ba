// What metering costs a request on a real Kong: CPU time of Kong's workers without a plugin, with http-log in batches of 100,
// with ours, and with a plugin server that answers each piece at once and drops it; and the CPU time of the two servers. Two
// Kongs, their routes take turns.
//   KONG_BIN=/usr/local/bin/kong npm run bench:kong-cost -- [--requests N] [--rounds N] [--clients N] [--warm-up N]
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ask } from '../test/gateway-truth/support/load.ts';
import { KONG, prepareKong, type RealKong } from '../test/gateway-truth/support/real-kong.ts';
import { cpuSeconds, startProcess, treeCpuSeconds } from './processes.ts';
import { ratioLine } from './report.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '5000' },
    rounds: { type: 'string', default: '5' },
    clients: { type: 'string', default: '16' },
    // Metered ones: what our server has not run some ten thousand times costs twice as much.
    'warm-up': { type: 'string', default: '25000' },
  },
});
const [requests, rounds, clients, warmUp] = [values.requests, values.rounds, values.clients, values['warm-up']].map(
  (text) => Number.parseInt(text, 10),
) as [number, number, number, number];
if (KONG === undefined) {
  process.stdout.write('skipped: set KONG_BIN to the command of a Kong Gateway\n');
  process.exit(0);
}

/** What queues for others is sent within this time; it belongs to the requests. */
const SETTLE_MS = 2500;

const receiver = await startProcess(['bench/event-receiver.ts'], {});
const upstream = await startProcess(['bench/event-receiver.ts'], {});
const common = {
  installation: 'service',
  endpoint: `${receiver.url}/v3/openmeter/events`,
  queue: { max_batch_size: 100 },
  services: [
    service('plain', [{ name: 'key-auth' }]),
    service('logged', [
      { name: 'key-auth' },
      { name: 'http-log', config: { http_endpoint: receiver.url, queue: { max_batch_size: 100 } } },
    ]),
  ],
} as const;
const ours = await prepareKong(common);
const dropping = await prepareKong({ ...common, standIn: [process.execPath, 'bench/frame-dropping-server.ts'] });

function service(name: string, plugins: readonly object[]): object {
  return { name, url: upstream.url, routes: [{ name, paths: [`/${name}`] }], plugins };
}

interface Cost {
  readonly kong: number;
  readonly server: number;
}

/** Microseconds of CPU a request. */
async function measure(kong: RealKong, path: string, count = requests): Promise<Cost> {
  const master = Number.parseInt(readFileSync(join(kong.folder, 'prefix', 'pids', 'nginx.pid'), 'utf8'), 10);
  const servers = [...(await kong.serverPids('serving')), ...(await kong.serverPids('first'))];
  const cpu = () => [treeCpuSeconds(master), servers.reduce((sum, pid) => sum + cpuSeconds(pid), 0)];
  const [kongBefore = 0, serverBefore = 0] = cpu();
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  let left = count;
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const answer = await ask(agent, kong.proxy, path);
      if (answer === undefined || answer.status >= 400) throw new Error(`${path} answered ${answer?.status}`);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  await delay(SETTLE_MS);
  const [kongAfter = 0, serverAfter = 0] = cpu();
  const each = (seconds: number) => (seconds / count) * 1e6;
  return { kong: each(kongAfter - kongBefore), server: each(serverAfter - serverBefore) };
}

const figures: { plain: Cost; logged: Cost; metered: Cost; dropped: Cost }[] = [];
try {
  await ours.run('start');
  await dropping.run('start');
  await measure(ours, '/metered', warmUp);
  for (let round = -1; round < rounds; round++) {
    const [plain, logged] = [await measure(ours, '/plain'), await measure(ours, '/logged')];
    const [metered, dropped] = [await measure(ours, '/metered'), await measure(dropping, '/metered')];
    // The first round is for the caches.
    if (round < 0) continue;
    figures.push({ plain, logged, metered, dropped });
    const show = (us: number) => us.toFixed(0);
    process.stdout.write(
      `round ${round + 1}: Kong without a plugin ${show(plain.kong)} µs, http-log ${show(logged.kong)} µs, ours ${show(metered.kong)} µs, dropping at once ${show(dropped.kong)} µs; our server ${show(metered.server)} µs, that one ${show(dropped.server)} µs\n`,
    );
  }
} finally {
  await ours.remove();
  await dropping.remove();
  await receiver.stop();
  await upstream.stop();
}

const ratios = (ratio: (one: (typeof figures)[number]) => number) => figures.map(ratio);
const lines = [
  ratioLine(
    "Kong's CPU a request, ours / http-log in batches of 100",
    ratios(({ logged, metered }) => metered.kong / logged.kong),
    1.15,
    'at most',
  ),
  ratioLine(
    "Kong's CPU a request, ours / a plugin server that drops everything at once",
    ratios(({ dropped, metered }) => metered.kong / dropped.kong),
    1,
    'at most',
  ),
  ratioLine(
    'our server, CPU a request / 60 µs',
    ratios(({ metered }) => metered.server / 60),
    1,
    'at most',
  ),
];
const smallest = (list: readonly number[]) => Math.min(...list);
const cores = (us: number) => ((us * 1e6) / 1e6 / 86_400).toFixed(4);
lines.push(
  `least of each: Kong ${['plain', 'logged', 'metered', 'dropped']
    .map((kind) => smallest(figures.map((one) => one[kind as keyof typeof one].kong)).toFixed(0))
    .join(', ')} µs; our server ${smallest(figures.map(({ metered }) => metered.server)).toFixed(0)} µs`,
);
const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[list.length >> 1] ?? Number.NaN;
lines.push(
  `metering a million requests a day: Kong ${cores(median(ratios(({ plain, metered }) => metered.kong - plain.kong)))} cores, our server ${cores(median(ratios(({ metered }) => metered.server)))}`,
);
process.stdout.write(`${lines.join('\n')}\n`);
