import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectProtobufPlayer, kongConfig, recording, startPluginServer, vary } from '../../gateway-player/index.ts';
import { type TemporaryFolder, temporaryFolder } from './support/probe-plugin.ts';

const PLUGIN_DIR = join(import.meta.dirname, '../../../dist/plugin/metering-and-billing');
const EVENTS = 40;

let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder();
});

afterAll(() => folder.remove());

/** An endpoint that is down until `recover`. */
async function openEndpoint() {
  // A request that was under way when its sender was killed may arrive and be sent again; the backend counts it once.
  const received = new Set<string>();
  let isDown = true;
  const server = createServer((request, response) => {
    const take = (events: unknown) => {
      if (!isDown) for (const { id } of events as { id: string }[]) received.add(id);
      response.writeHead(isDown ? 503 : 202).end();
    };
    // A worker that is killed breaks off what it was sending.
    json(request).then(take, () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    received: () => [...received].toSorted(),
    recover(): void {
      isDown = false;
    },
    close(): void {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** How often a request id stands in the spool's files, by folder. */
function spooled(dir: string): number[] {
  const folders = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  const counts = new Map<string, number>();
  for (const { parentPath, name } of folders) {
    const found =
      readFileSync(join(parentPath, name))
        .toString('latin1')
        .match(/"id":"waiting-\d+"/g)?.length ?? 0;
    if (found > 0) counts.set(parentPath, (counts.get(parentPath) ?? 0) + found);
  }
  return [...counts.values()];
}

test('each worker has a spool of its own, and what a killed one leaves behind is delivered by others', async () => {
  const endpoint = await openEndpoint();
  const dir = join(folder.path, 'spool');
  const env = { METERING_SPOOL_DIR: dir };
  const server = await startPluginServer({ pluginDir: PLUGIN_DIR, workers: 2, env });
  const player = connectProtobufPlayer(server.socketPath, { connections: 8 });
  const queue = { max_coalescing_delay: 0.05, initial_retry_delay: 0.01, max_retry_delay: 0.2, failure_threshold: 0 };
  const config = kongConfig({ ingest_endpoint: endpoint.url, api_token: 'spat_workers', queue });
  const instance = await player.startInstance('metering-and-billing', config);
  const request = recording('1241ae52f620917729ded05c653a733c').json;
  const ids = Array.from({ length: EVENTS }, (_, index) => `waiting-${index}`);
  await Promise.all(ids.map((requestId) => player.logRequest(instance, vary(request, { requestId }))));
  await expect.poll(() => spooled(dir).reduce((sum, count) => sum + count, 0)).toBe(EVENTS);
  expect(spooled(dir)).toHaveLength(2);

  for (const pid of readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)) {
    process.kill(Number(pid), 'SIGKILL');
  }
  endpoint.recover();
  await expect.poll(endpoint.received).toEqual(ids.toSorted());
  player.close();
  expect(await server.terminate()).toEqual({ code: 0, signal: null });
  expect(spooled(dir)).toEqual([]);
  endpoint.close();
});
