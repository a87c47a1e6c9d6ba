import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  connectPlayer,
  kongConfig,
  type Player,
  type PluginServer,
  recording,
  startStockPluginServer,
  vary,
} from '../../gateway-player/index.ts';
import { type IngestReceiver, openIngestReceiver } from './ingest-receiver.ts';
import { dropsIn, logLines } from './log-lines.ts';

const PLUGIN_DIR = join(import.meta.dirname, '../../../dist/plugin/metering-and-billing');
const NAME = 'metering-and-billing';
const REQUIRED = { ingest_endpoint: 'http://127.0.0.1/events', api_token: 'spat_x' };
const { json: REQUEST } = recording('1241ae52f620917729ded05c653a733c');
/** Nothing leaves by itself: a batch is never full, and its time never comes. */
const HOLD = { max_batch_size: 1000, max_coalescing_delay: 3600 };

let receiver: IngestReceiver;
let server: PluginServer;
let player: Player;

beforeEach(async () => {
  receiver = await openIngestReceiver();
  server = await startStockPluginServer({ pluginDir: PLUGIN_DIR });
  player = connectPlayer(server.socketPath, { connections: 4 });
});

afterEach(async () => {
  player.close();
  await server.kill();
  await receiver.close();
});

const start = (config: object): Promise<number> =>
  player.startInstance(
    NAME,
    kongConfig({ ingest_endpoint: receiver.url('/events'), api_token: 'spat_instances', ...config }),
  );
const request = (requestId: string): string => vary(REQUEST, { requestId });
const ids = (): string[] => receiver.events('/events').map(({ id }) => id);

describe('instances', () => {
  test('with equal settings share one queue', async () => {
    const queue = { max_batch_size: 2, max_coalescing_delay: 3600 };
    const [first, second] = [await start({ queue }), await start({ queue })];
    expect(first).not.toBe(second);
    await player.logRequest(first, request('a'));
    await player.logRequest(second, request('b'));
    await receiver.received('/events', 2);
    expect(receiver.batches('/events').map(({ events }) => events.map(({ id }) => id))).toEqual([['a', 'b']]);
  });

  test('follow a change of the configuration, and what the old one took still arrives', async () => {
    const before = await start({ queue: HOLD });
    await player.logRequest(before, request('before'));
    const attributes = [{ source: 'header', look_up_value_in: 'host', event_property_name: 'asked' }];
    const after = await start({ queue: { max_batch_size: 1 }, attributes });
    await player.closeInstance(before);
    await player.logRequest(after, request('after'));
    await receiver.received('/events', 1);
    expect(receiver.events('/events')[0]).toMatchObject({ id: 'after', data: { asked: '127.0.0.1:8000' } });
    await expect(player.logRequest(before, request('lost'))).rejects.toThrow(/^no plugin instance/);
    await server.terminate();
    expect(ids()).toEqual(['after', 'before']);
  });

  test('deliver what they hold when Kong ends the server', async () => {
    const instance = await start({ queue: HOLD });
    const requests = Array.from({ length: 100 }, (_, number) => `request-${number}`);
    await Promise.all(requests.map((id) => player.logRequest(instance, request(id))));
    expect(ids()).toEqual([]);
    expect(await server.terminate()).toEqual({ code: 0, signal: null });
    expect(ids().sort()).toEqual(requests.sort());
    expect(dropsIn(server)).toEqual({});
  });
});

describe('a log entry', () => {
  test('that cannot be read is counted, quoted nowhere, and holds nothing up', async () => {
    const instance = await start({});
    await player.logRequest(instance, '{"request":{"headers":{"apikey":"alice-key"');
    // What Kong sends when it cannot encode an entry.
    await player.logRequest(instance, undefined);
    await player.logRequest(instance, request('readable'));
    await receiver.received('/events', 1);
    await server.terminate();
    expect(ids()).toEqual(['readable']);
    expect(dropsIn(server)).toEqual({ unreadable_log_entry: 2 });
    expect(server.stdout() + server.stderr()).not.toContain('alice-key');
  });

  test('of 900 KB is metered like any other', async () => {
    const instance = await start({ meter_api_requests: false });
    const chat = recording('64ad5366269eef4879482e4397912d67').json;
    await player.logRequest(instance, vary(chat, { leastBytes: 900_000, requestId: 'large' }));
    await receiver.received('/events', 2);
    expect(ids().sort()).toEqual(['large:request', 'large:response']);
  });
});

describe('a configuration', () => {
  test('that cannot work starts, says why once, and counts what it loses', async () => {
    const config = { ...kongConfig(REQUIRED), api_token: '' };
    const instances = [await player.startInstance(NAME, config), await player.startInstance(NAME, config)];
    for (const instance of instances) await player.logRequest(instance, REQUEST);
    await player.startInstance(NAME, []);
    await server.terminate();
    const errors = logLines(server).filter(({ level }) => level === 'error');
    expect(errors).toEqual([
      {
        level: 'error',
        msg: 'the configuration cannot work: nothing is metered',
        detail: 'api_token must be a token without blanks (an unresolved vault reference leaves it empty)',
        plugin_id: kongConfig(REQUIRED)['__plugin_id'],
        config: expect.stringMatching(/^[0-9a-f]{12}$/),
      },
      expect.objectContaining({ detail: 'the configuration is not an object', plugin_id: 'unknown' }),
    ]);
    expect(dropsIn(server)).toEqual({ bad_config: 2 });
  });

  test('that meters nothing says so once for each configuration', async () => {
    const nothing = { meter_api_requests: false, meter_ai_token_usage: false };
    const instances = [await start(nothing), await start(nothing), await start({ ...nothing, timeout: 5000 })];
    for (const instance of instances) await player.logRequest(instance, REQUEST);
    await server.terminate();
    const warnings = logLines(server).filter(({ level }) => level === 'warn');
    expect(warnings.map(({ detail }) => detail)).toEqual(
      Array(2).fill('meter_api_requests and meter_ai_token_usage are both false: nothing is metered'),
    );
    expect(receiver.batches('/events')).toEqual([]);
  });
});
