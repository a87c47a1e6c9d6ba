import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  connectPlayer,
  kongConfig,
  type Player,
  type PluginServer,
  recordings,
  startStockPluginServer,
} from '../../gateway-player/index.ts';
import { expectedEvents, RECORDED_USAGE } from '../metering-and-billing/recorded-usage.ts';
import { type IngestReceiver, openIngestReceiver, type ReceivedEvent } from './ingest-receiver.ts';
import { dropsIn } from './log-lines.ts';

const PLUGIN_DIR = join(import.meta.dirname, '../../../dist/plugin/metering-and-billing');
const TOKEN = 'spat_recordings';

const byId = (events: readonly object[]): object[] =>
  (events as ReceivedEvent[]).toSorted((a, b) => (a.id < b.id ? -1 : 1));

describe('all recordings, played over several connections against several instances', () => {
  let receiver: IngestReceiver;
  let server: PluginServer;
  let player: Player;
  const calls: number[] = [];

  beforeAll(async () => {
    receiver = await openIngestReceiver();
    server = await startStockPluginServer({ pluginDir: PLUGIN_DIR });
    player = connectPlayer(server.socketPath, { connections: 8 });
    const queue = { max_batch_size: 20, max_coalescing_delay: 0.1 };
    const common = { api_token: TOKEN, queue };
    const configs = [
      { ...common, ingest_endpoint: receiver.url('/consumer') },
      { ...common, ingest_endpoint: receiver.url('/host'), subject: { look_up_value_in: 'header', field: 'Host' } },
      { ...common, ingest_endpoint: receiver.url('/tokens'), meter_api_requests: false },
      { ...common, ingest_endpoint: receiver.url('/default'), queue: {} },
    ];
    const instances = await Promise.all(
      configs.map((config) => player.startInstance('metering-and-billing', kongConfig(config))),
    );
    const logged = recordings().flatMap(({ json }) => instances.map((id) => player.logRequest(id, json)));
    for (const { pdkCalls } of await Promise.all(logged)) calls.push(pdkCalls);
  });

  afterAll(async () => {
    player.close();
    await server.kill();
    await receiver.close();
  });

  const billable = RECORDED_USAGE.filter(({ username }) => username !== undefined);
  const consumerEvents = billable.flatMap((usage) => expectedEvents(usage, 'alice', 'consumer_username'));

  test('cost one call to Kong per request', () => {
    expect(new Set(calls)).toEqual(new Set([1]));
  });

  test('arrive exactly once, billed by consumer', async () => {
    await receiver.received('/consumer', consumerEvents.length);
    expect(byId(receiver.events('/consumer'))).toEqual(byId(consumerEvents));
  });

  test('arrive exactly once, billed by a header', async () => {
    const expected = RECORDED_USAGE.flatMap((usage) =>
      expectedEvents(usage, String(usage.apiRequest['request_host']), 'header'),
    );
    await receiver.received('/host', expected.length);
    expect(byId(receiver.events('/host'))).toEqual(byId(expected));
  });

  test('arrive exactly once, tokens alone', async () => {
    const expected = (consumerEvents as ReceivedEvent[]).filter(({ type }) => type === 'kong.llm_request');
    await receiver.received('/tokens', expected.length);
    expect(byId(receiver.events('/tokens'))).toEqual(byId(expected));
  });

  test('arrive exactly once with the default queue, one event to a request', async () => {
    await receiver.received('/default', consumerEvents.length);
    expect(byId(receiver.events('/default'))).toEqual(byId(consumerEvents));
    expect(new Set(receiver.batches('/default').map(({ events }) => events.length))).toEqual(new Set([1]));
  });

  test('arrive as batches of CloudEvents with the token', () => {
    for (const { contentType, authorization, events } of receiver.batches('/consumer')) {
      expect(contentType).toBe('application/cloudevents-batch+json');
      expect(authorization).toBe(`Bearer ${TOKEN}`);
      expect(events.length).toBeLessThanOrEqual(20);
    }
  });

  test('leave every drop counted, and no secret in a log', async () => {
    expect(await server.terminate()).toEqual({ code: 0, signal: null });
    const unauthenticated = RECORDED_USAGE.length - billable.length;
    const unknown = RECORDED_USAGE.reduce((sum, { unknownCounts = 0 }) => sum + unknownCounts, 0);
    // Billed by header, none is without a subject; metering tokens alone, no request without a Consumer is an AI call.
    expect(dropsIn(server)).toEqual({ no_subject: 2 * unauthenticated, unknown_token_count: 4 * unknown });
    expect(server.stdout() + server.stderr()).not.toMatch(/alice-key|apikey|Hello there|spat_|b32379d9/);
  });
});
