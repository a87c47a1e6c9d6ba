import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../backend/config.ts';
import { type RunningBackend, startBackend } from '../../backend/main.ts';
import { createLogger } from '../../backend/platform/log.ts';
import { runReplay } from '../../plugin/replay/cli.ts';
import {
  connectProtobufPlayer,
  kongConfig,
  type PluginServer,
  recordings,
  startPluginServer,
  vary,
} from '../gateway-player/index.ts';
import { startPushing } from '../support/plugin/pushing.ts';
import { serve } from '../support/plugin/requests-log.ts';
import { settingsFor } from '../support/plugin/rig.ts';
import { spoolSettings } from '../support/plugin/spool.ts';

const TOKEN = 'admin-token-of-a-test-0123';
const PLUGIN_DIR = join(import.meta.dirname, '../../dist/plugin/metering-and-billing');
/** A request with a consumer, without AI: one event. */
const ENTRY = recordings().find(({ json }) => json.includes('"consumer":') && !json.includes('"ai":'))?.json ?? '';
const STARTED_AT_MS = Date.parse('2026-11-01T10:00:00Z');

let folder: string;
let backend: RunningBackend;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'what-can-be-lost-'));
  const config = loadConfig({ DATA_DIR: join(folder, 'data'), PORT: '0', ADMIN_TOKEN: TOKEN });
  backend = await startBackend(config, createLogger('silent'));
});
afterEach(async () => {
  await backend.stop();
  rmSync(folder, { recursive: true });
});

async function get<Answer>(path: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  return (await (await fetch(`${backend.url}/v3/openmeter${path}`, { headers })).json()) as Answer;
}

interface Process {
  readonly node: string;
  readonly received: number;
  readonly stored: number;
  readonly taken: number;
  readonly last_number: number;
  readonly missing_count: number;
}
const ledger = async () => (await get<{ data: Process[] }>('/gateway-nodes')).data;
const stored = async () => (await get<{ stored: number }>('/ingest-totals')).stored;

test('what Kong could not hand over is in no counter, until its own log is replayed, and then nothing counts twice', async () => {
  const socketPath = join(folder, 'kong.sock');
  const lines: string[] = [];
  let server: PluginServer | undefined;

  /** One request, which Kong also writes to its own log. */
  async function request(id: string): Promise<void> {
    const json = vary(ENTRY, { requestId: id, startedAtMs: STARTED_AT_MS });
    lines.push(json);
    const player = connectProtobufPlayer(socketPath, { connections: 1 });
    try {
      const config = kongConfig({ ingest_endpoint: `${backend.url}/v3/openmeter/events`, api_token: TOKEN });
      await player.logRequest(await player.startInstance('metering-and-billing', config), json);
    } finally {
      player.close();
    }
  }
  const start = async () => {
    const env = { METERING_SPOOL_DIR: join(folder, 'spool'), METERING_NODE: 'gateway' };
    server = await startPluginServer({ pluginDir: PLUGIN_DIR, socketPath, env });
  };

  await start();
  await request('before-1');
  await request('before-2');
  await server?.terminate();
  // The client has its answer long since; Kong can only note in its error log that nobody listens.
  await expect(request('lost-1')).rejects.toThrow();
  await expect(request('lost-2')).rejects.toThrow();
  await start();
  await request('after-1');
  await server?.terminate();

  expect(await stored()).toBe(3);
  const processes = await ledger();
  expect(processes.map(({ received, missing_count }) => [received, missing_count]).toSorted()).toEqual([
    [1, 0],
    [2, 0],
  ]);

  const log = join(folder, 'file.log');
  writeFileSync(log, `${lines.join('\n')}\n`);
  const args = ['--endpoint', `${backend.url}/v3/openmeter/events`, log];
  expect(await runReplay(args, { environment: { METERING_API_TOKEN: TOKEN }, say: () => undefined })).toBe(0);
  expect(await get('/ingest-totals')).toEqual({ received: 8, stored: 5, duplicates: 3 });
  // A replayed event counts when its request was, like one that came late.
  const { data } = await get<{ data: { event: { id: string; time: string } }[] }>('/events?page[size]=100');
  expect(data.map(({ event }) => event.id).toSorted()).toEqual(['after-1', 'before-1', 'before-2', 'lost-1', 'lost-2']);
  expect(new Set(data.map(({ event }) => Date.parse(event.time)))).toEqual(new Set([STARTED_AT_MS]));
});

test('what a killed process took with it shows in the ledger: it had taken more than has arrived', async () => {
  const settings = settingsFor(`${backend.url}/v3/openmeter/events`, {
    token: TOKEN,
    queue: { maxBatchSize: 10, maxCoalescingDelayMs: 60_000 },
  });
  // A window of ten seconds, so that it is not over when the process is killed.
  const spool = spoolSettings(join(folder, 'spool'), { syncMs: 10_000 });
  const child = startPushing({ settings, spool, node: 'gateway', prefix: 'event-', count: 13 });
  await expect.poll(ledger, { timeout: 20_000 }).toMatchObject([{ received: 10 }]);
  child.kill('SIGKILL');
  await child.ended;
  expect(await ledger()).toMatchObject([{ node: 'gateway', taken: 13, last_number: 10, missing_count: 0 }]);
});

test('what Kong served stands beside what of it arrived: what no plugin server was there for is unexplained, exactly', async () => {
  const log = join(folder, 'requests.log');
  const env = {
    METERING_REQUESTS_LOG: log,
    METERING_REQUESTS_LOG_INTERVAL_MS: '100',
    METERING_SPOOL_DIR: join(folder, 'spool'),
    METERING_NODE: 'gateway',
  };
  const config = kongConfig({
    ingest_endpoint: `${backend.url}/v3/openmeter/events`,
    api_token: TOKEN,
    queue: { max_batch_size: 1 },
  });
  let last = 0;
  const start = (socket: string) =>
    startPluginServer({ pluginDir: PLUGIN_DIR, socketPath: join(folder, socket), workers: 2, env });
  /** Requests that are over, and told to the server; nginx writes its log before. */
  async function request(server: PluginServer, count: number, variation: { consumer?: null } = {}): Promise<void> {
    const player = connectProtobufPlayer(server.socketPath, { connections: 8 });
    const instance = await player.startInstance('metering-and-billing', config);
    const told = Array.from({ length: count }, () => {
      serve(log);
      const json = vary(ENTRY, { requestId: `served-${++last}` });
      return player.logRequest(instance, variation.consumer === null ? withoutConsumer(json) : json);
    });
    await Promise.all(told);
    player.close();
  }
  const requests = async () => (await get<{ data: object[] }>('/gateway-requests')).data;

  // Kong starts before its plugin server listens.
  serve(log, 46);
  const first = await start('first.sock');
  await request(first, 40);
  await request(first, 5, { consumer: null });
  // The next one serves already while the first ends.
  const second = await start('second.sock');
  await Promise.all([request(first, 10), request(second, 10)]);
  await first.terminate();
  await request(second, 10);
  await second.kill();
  // Nobody is there.
  serve(log, 25);
  const third = await start('third.sock');
  await request(third, 15);
  const figures = { served: 161, metered: 85, not_metered: { no_subject: 5 }, unexplained: 71, under_way: 0 };
  await expect.poll(requests, { timeout: 20_000 }).toMatchObject([{ node: 'gateway', ...figures }]);
  expect(await stored()).toBe(85);
  await third.terminate();
});

function withoutConsumer(json: string): string {
  const { consumer: _, ...entry } = JSON.parse(json) as Record<string, unknown>;
  return JSON.stringify(entry);
}
