import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../backend/config.ts';
import { type RunningBackend, startBackend } from '../../backend/main.ts';
import { createLogger } from '../../backend/platform/log.ts';
import { answerOf, createClient } from '../../sdk/index.ts';
import { connectPlayer, kongConfig, recording, startStockPluginServer, vary } from '../gateway-player/index.ts';

const ADMIN_TOKEN = 'scenario-admin-token';
const INGEST_TOKEN = 'scenario-ingest-token';
const ALICE = { id: 'b32379d9-3d28-5683-a79c-72139be6e34f', username: 'alice' };

let dataDir: string;
let backend: RunningBackend;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'scenario-'));
  const config = loadConfig({ DATA_DIR: dataDir, PORT: '0', ADMIN_TOKEN, INGEST_TOKEN });
  backend = await startBackend(config, createLogger('silent'));
});
afterEach(async () => {
  await backend.stop();
  rmSync(dataDir, { recursive: true });
});

// The tutorial "track API requests by Consumer": its plugin configuration, three requests with alice's key, the events
// page. The gateway's side is played with a recorded request.
test('three requests of alice are three events with her as subject, and the list says that no customer has it', async () => {
  const server = await startStockPluginServer({ pluginDir: resolve('dist/plugin/metering-and-billing') });
  const player = connectPlayer(server.socketPath, { connections: 2 });
  const instance = await player.startInstance(
    'metering-and-billing',
    kongConfig({
      ingest_endpoint: `${backend.url}/v3/openmeter/events`,
      api_token: INGEST_TOKEN,
      meter_api_requests: true,
      meter_ai_token_usage: false,
      subject: { look_up_value_in: 'consumer' },
    }),
  );
  const recorded = recording('dbe4e209db780c1b37071a583e221304');
  for (let index = 1; index <= 3; index++) {
    const service = { id: '356ebaf8-b7af-5cba-99a1-f392e34730ab', name: 'example-service' };
    await player.logRequest(instance, vary(recorded.json, { requestId: `request-${index}`, consumer: ALICE, service }));
  }

  const api = createClient({ url: backend.url, token: ADMIN_TOKEN });
  const list = async () =>
    (await answerOf(api.GET('/v3/openmeter/events', { params: { query: { 'filter[subject]': 'alice' } } }))).data;
  await expect.poll(list, { timeout: 20_000 }).toHaveLength(3);
  for (const item of await list()) {
    expect(item.event).toMatchObject({
      type: 'kong.api_request',
      source: 'kong-gateway',
      subject: 'alice',
      data: { service_name: 'example-service', request_method: 'GET', response_http_status: 200 },
    });
    const messages = item.validation_errors?.map(({ message }) => message);
    expect(messages).toContain('no customer found for event subject: alice');
    // The recorded request carried its key in the query string: it must not travel on.
    expect(JSON.stringify(item)).not.toContain('alice-key');
  }
  const ids = (await list()).map(({ event }) => event.id).sort();
  expect(ids).toEqual(['request-1', 'request-2', 'request-3']);

  // With a meter and a customer, the same events count.
  const meterKey = 'kong_konnect_api_request';
  const meter = await answerOf(
    api.POST('/v3/openmeter/built-in-meters/{meterKey}/enable', { params: { path: { meterKey } } }),
  );
  const customer = await answerOf(api.POST('/v3/openmeter/customers', { body: { name: 'Alice', key: 'alice' } }));
  const usage = await answerOf(
    api.POST('/v3/openmeter/meters/{meterId}/query', {
      params: { path: { meterId: meter.id } },
      body: {
        group_by_dimensions: ['service_name'],
        filters: { dimensions: { customer_id: { eq: customer.id } } },
      },
    }),
  );
  expect(usage.data).toMatchObject([
    { value: '3', dimensions: { customer_id: customer.id, service_name: 'example-service' } },
  ]);
  expect((await list())[0]?.validation_errors).toBeUndefined();

  player.close();
  await server.terminate();
});
