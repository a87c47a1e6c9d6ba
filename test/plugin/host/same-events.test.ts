import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  connectPlayer,
  connectProtobufPlayer,
  kongConfig,
  type Player,
  type PluginServer,
  recording,
  recordings,
  startPluginServer,
  startStockPluginServer,
  vary,
} from '../../gateway-player/index.ts';
import { type IngestReceiver, openIngestReceiver, type ReceivedEvent } from '../stock-server/ingest-receiver.ts';
import { dropsIn } from '../stock-server/log-lines.ts';
import { type TemporaryFolder, temporaryFolder } from './support/probe-plugin.ts';

const PLUGIN_DIR = join(import.meta.dirname, '../../../dist/plugin/metering-and-billing');
const NAME = 'metering-and-billing';

const CONFIGS = [
  {},
  { subject: { look_up_value_in: 'header', field: 'Host' } },
  { meter_api_requests: false },
  {
    attributes: [{ source: 'header', look_up_value_in: 'host', event_property_name: 'asked' }],
    allow_status_codes: ['200-299', '401'],
  },
];

/** All recordings, and what no gateway has been seen to send: names in other scripts, a very long answer, no JSON. */
function entries(): (string | undefined)[] {
  const request = recording('1241ae52f620917729ded05c653a733c').json;
  const consumer = { id: 'c', username: 'Ærøskøbing 😀 "quoted" \\ \u0007' };
  return [
    ...recordings().map(({ json }) => json),
    vary(request, { requestId: 'scripts', consumer, headers: { host: 'münchen.example' } }),
    vary(recording('64ad5366269eef4879482e4397912d67').json, { requestId: 'long', leastBytes: 900_000 }),
    '{"request":',
    '',
    undefined,
  ];
}

let folder: TemporaryFolder;
let receiver: IngestReceiver;

beforeAll(async () => {
  folder = await temporaryFolder();
  receiver = await openIngestReceiver();
});

afterAll(async () => {
  await receiver.close();
  await folder.remove();
});

interface Delivered {
  readonly events: readonly ReceivedEvent[][];
  readonly drops: Readonly<Record<string, number>>;
}

/**
 * What one server makes of all entries, for each configuration.
 * @param expected what another has made of them, to be waited for before the server has to end
 */
async function deliveredBy(
  path: string,
  server: PluginServer,
  player: Player,
  expected?: Delivered,
): Promise<Delivered> {
  const endpoints = CONFIGS.map((_, index) => `/${path}/${index}`);
  const queue = { max_batch_size: 20, max_coalescing_delay: 0.1 };
  const instances = await Promise.all(
    CONFIGS.map((config, index) => {
      const ingest_endpoint = receiver.url(endpoints[index] ?? '');
      return player.startInstance(NAME, kongConfig({ ...config, ingest_endpoint, api_token: 'spat_same', queue }));
    }),
  );
  await Promise.all(entries().flatMap((entry) => instances.map((instance) => player.logRequest(instance, entry))));
  const counts = (): number[] => endpoints.map((endpoint) => receiver.events(endpoint).length);
  if (expected !== undefined) await expect.poll(counts).toEqual(expected.events.map(({ length }) => length));
  player.close();
  expect(await server.terminate()).toEqual({ code: 0, signal: null });
  const events = endpoints.map((endpoint) =>
    (receiver.events(endpoint) as ReceivedEvent[]).toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  );
  return { events, drops: dropsIn(server) };
}

describe('all that a gateway logs makes the same events', () => {
  let expected: Delivered;

  beforeAll(async () => {
    const server = await startStockPluginServer({ pluginDir: PLUGIN_DIR });
    expected = await deliveredBy('stock', server, connectPlayer(server.socketPath, { connections: 8 }));
  });

  test('and not none', () => {
    for (const events of expected.events) expect(events.length).toBeGreaterThan(40);
    expect(expected.drops).toMatchObject({ unreadable_log_entry: 3 * CONFIGS.length });
  });

  test('on our server', async () => {
    const server = await startPluginServer({ pluginDir: PLUGIN_DIR });
    const player = connectProtobufPlayer(server.socketPath, { connections: 8 });
    expect(await deliveredBy('ours', server, player, expected)).toEqual(expected);
  });

  test('on our server, when nothing is made in advance', async () => {
    const pluginDir = join(folder.path, 'plain.cjs');
    await writeFile(pluginDir, `module.exports = { ...require('${PLUGIN_DIR}'), Prefetch: undefined };`);
    const server = await startPluginServer({ pluginDir });
    const player = connectProtobufPlayer(server.socketPath, { connections: 8 });
    expect(await deliveredBy('plain', server, player, expected)).toEqual(expected);
  });

  test('on three workers of our server', async () => {
    const server = await startPluginServer({ pluginDir: PLUGIN_DIR, workers: 3 });
    const player = connectProtobufPlayer(server.socketPath, { connections: 8 });
    expect(await deliveredBy('workers', server, player, expected)).toEqual(expected);
  });
});
