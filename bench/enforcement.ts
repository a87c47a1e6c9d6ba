// What enforcing costs and how well a limit holds. First: decisions through the plugin server over 64 connections, against
// a plugin that asks for the Consumer and always lets pass (the limit). Then: requests at full speed against a limit of
// 1,000, on one node and on three, with both plugins and a backend; how many passed beside what the formula allows.
//   npm run build:plugin && npm run bench:enforcement -- [--events N] [--rounds N]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Schema } from '../plugin/entitlement-enforcement/schema.ts';
import { createProtobufProtocol, kongConfig, playAccess, startPluginServer } from '../test/gateway-player/index.ts';
import { TOKENS } from '../test/support/backend.ts';
import { startEnforcingGateway } from '../test/support/enforcing-gateway.ts';
import { serveBackend } from '../test/support/served-backend.ts';
import { driveAccess } from './access-driver.ts';
import { ratioLine } from './report.ts';

const CONNECTIONS = 64;
const LIMIT = 1000;
/** Requests under way on a node at a time when it is driven at full speed. */
const AT_A_TIME = 8;
/** A client that was refused. */
const TRY_AGAIN_MS = 5;
const { values } = parseArgs({
  options: { events: { type: 'string', default: '30000' }, rounds: { type: 'string', default: '5' } },
});
const events = Number.parseInt(values.events, 10);
const rounds = Number.parseInt(values.rounds, 10);

const ALWAYS_ALLOW = `
exports.Name = 'always-allow';
exports.Priority = 920;
exports.Schema = [];
exports.Plugin = class { async access(kong) { await kong.client.getConsumer(); } };`;

const folder = mkdtempSync(join(tmpdir(), 'bench-enforcement-'));
const alwaysAllow = join(folder, 'always-allow.cjs');
writeFileSync(alwaysAllow, ALWAYS_ALLOW);
const served = await serveBackend(new Date().toISOString());
const { request } = served.backend;
const meter = await request('POST', '/built-in-meters/kong_konnect_api_request/enable');
const feature = await request('POST', '/features', {
  body: { name: 'Calls', key: 'calls', meter: { id: meter.json.id } },
});

/** @returns the path of the entitlement */
async function customerWith(key: string, limit: number): Promise<string> {
  const customer = await request('POST', '/customers', { body: { name: key, key } });
  const usage_period = { interval: 'P1M' };
  const body = { type: 'metered', feature: { id: feature.json.id }, usage_period, issue: { amount: String(limit) } };
  const path = `/customers/${customer.json.id}/entitlements`;
  return `${path}/${(await request('POST', path, { body })).json.id}`;
}

const enforcement = (nodeCount: number) => ({
  api_token: TOKENS.viewer,
  entitlement_access_endpoint: `${served.url}/v3/openmeter/entitlement-access/query`,
  feature: { key: 'calls' },
  sync_rate: 1,
  node_count: nodeCount,
});

const metering = () => ({
  ingest_endpoint: `${served.url}/v3/openmeter/events`,
  api_token: TOKENS.ingest,
  meter_ai_token_usage: false,
  allow_status_codes: ['200-299'],
  queue: { max_batch_size: 100, max_coalescing_delay: 0.2 },
});

interface Figures {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

async function measure(pluginDir: string, name: string, config: object): Promise<Figures> {
  const env = { ENTITLEMENT_DIR: join(folder, `${name}-${Math.random()}`) };
  const server = await startPluginServer({ pluginDir, env });
  const protocol = createProtobufProtocol(server.socketPath, 1);
  const instanceId = await protocol.startInstance(name, config);
  const line = { protocol, speaks: 'ProtoBuf:1' as const };
  const consumer = { id: 'c', username: 'busy' };
  // Until the customer is known.
  while ((await playAccess(line, instanceId, { consumer })).exit !== undefined) {}
  const run = (count: number) =>
    driveAccess({ socketPath: server.socketPath, instanceId, events: count, connections: CONNECTIONS }, 'busy');
  await run(Math.min(events, 5000)); // warm
  const startedAt = performance.now();
  const latenciesMs = await run(events);
  const seconds = (performance.now() - startedAt) / 1000;
  protocol.close();
  await server.terminate();
  const at = (share: number) => latenciesMs[Math.floor(latenciesMs.length * share)] ?? Number.NaN;
  return { perSecond: events / seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** Drives the nodes until a second has gone by in which nothing passed. @returns how many passed */
async function passedAtFullSpeed(nodes: number, nodeCount: number): Promise<number> {
  const key = `greedy-${nodes}-${nodeCount}`;
  await customerWith(key, LIMIT);
  const gateways = await Promise.all(
    Array.from({ length: nodes }, () =>
      startEnforcingGateway({
        enforcement: enforcement(nodeCount),
        metering: metering(),
      }),
    ),
  );
  let passed = 0;
  let lastPassAt = performance.now();
  const drive = async (gateway: (typeof gateways)[number]) => {
    while (performance.now() - lastPassAt < 5000) {
      if ((await gateway.request(key)).status !== 200) continue;
      passed++;
      lastPassAt = performance.now();
    }
  };
  await Promise.all(gateways.flatMap((gateway) => Array.from({ length: AT_A_TIME }, () => drive(gateway))));
  await Promise.all(gateways.map((gateway) => gateway.close()));
  return passed;
}

/** Milliseconds from the answer to a grant until the gateway lets a request of the customer pass, who goes on trying. */
async function untilInForce(): Promise<number[]> {
  const path = await customerWith('hasty', 1);
  const gateway = await startEnforcingGateway({ enforcement: enforcement(1), metering: metering() });
  const waits: number[] = [];
  const next = async () => {
    while ((await gateway.request('hasty')).status !== 200) await pause(TRY_AGAIN_MS);
  };
  await next();
  for (let grants = 0; grants < 10; grants++) {
    // Until the backend says, too, that nothing is left, and on to some moment between two questions.
    const untilMs = performance.now() + 1500 + Math.random() * 1000;
    while (performance.now() < untilMs) {
      if ((await gateway.request('hasty')).status === 200) throw new Error('more passed than was granted');
      await pause(TRY_AGAIN_MS);
    }
    const body = { amount: '1', effective_at: new Date().toISOString() };
    await request('POST', `${path}/grants`, { body });
    const grantedAt = performance.now();
    await next();
    waits.push(Math.round(performance.now() - grantedAt));
  }
  await gateway.close();
  return waits;
}

await customerWith('busy', 1_000_000_000);
const ratios: number[] = [];
const config = kongConfig(enforcement(1), {}, Schema);
for (let round = 0; round < rounds; round++) {
  const ours = await measure(resolve('dist/plugin/entitlement-enforcement'), 'entitlement-enforcement', config);
  const limit = await measure(alwaysAllow, 'always-allow', {});
  ratios.push(ours.perSecond / limit.perSecond);
  const show = ({ perSecond, p50Ms, p99Ms }: Figures) =>
    `${Math.round(perSecond).toLocaleString('en')}/s, p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`;
  process.stdout.write(`round ${round + 1}: enforcing ${show(ours)}; always allowing ${show(limit)}\n`);
}
process.stdout.write(`${ratioLine('decisions/s, enforcing / always allowing', ratios, 0.8)}\n`);
for (const [nodes, nodeCount] of [
  [1, 1],
  [3, 3],
  [3, 1],
] as const) {
  const passed = await passedAtFullSpeed(nodes, nodeCount);
  const share = Math.ceil(LIMIT / nodeCount);
  const most = LIMIT + (nodes - 1) * share;
  process.stdout.write(
    `limit ${LIMIT}, ${nodes} node(s), node_count ${nodeCount}: ${passed} passed; the formula allows ${most}: ${passed <= most ? 'met' : 'MISSED'}\n`,
  );
}
const waits = await untilInForce();
process.stdout.write(
  `a grant is in force on the gateway after ${Math.min(...waits)} to ${Math.max(...waits)} ms (sync_rate 1 s, ${waits.length} grants)\n`,
);
await served.close();
rmSync(folder, { recursive: true });
process.exit(0);
