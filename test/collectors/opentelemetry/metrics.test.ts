import { OTLPMetricExporter as GrpcExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import {
  AggregationTemporalityPreference,
  OTLPMetricExporter as JsonExporter,
} from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtoExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { MeterProvider, PeriodicExportingMetricReader, type PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { afterEach, expect, test } from 'vitest';
import { startCollectProcess } from '../../support/collectors/collect-process.ts';
import { collectorConfig } from '../../support/collectors/collector-config.ts';
import { type RunningCollect, startCollect } from '../../support/collectors/running.ts';
import { surroundingsOfEachTest } from '../../support/collectors/surroundings.ts';

const around = surroundingsOfEachTest();
let running: RunningCollect | undefined;
let ports: { grpc: number; http: number };
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

const configOf = (more: string, { grpc, http }: typeof ports) =>
  collectorConfig({
    name: 'meters',
    input: `otel_log: { address: "127.0.0.1:${grpc}", http_address: "127.0.0.1:${http}", signals: [metrics] ${more} }`,
    preset: 'opentelemetry-metrics',
    url: around.server.url,
    spool: `${around.folder.path}/spool.sqlite`,
    http: false,
  });
async function start(more = '', at = { grpc: 0, http: 0 }): Promise<void> {
  running = startCollect(configOf(more, at));
  const line = await running.line('taking OTLP metrics');
  ports = { grpc: line['grpc'] as number, http: line['http'] as number };
}
const stored = (count: number) => expect.poll(() => around.server.events.length, { timeout: 20_000 }).toBe(count);
const dataOf = (type: string) =>
  around.server.events.filter((event) => event['type'] === type).map(({ data }) => data as Record<string, unknown>);
const total = (type: string, field = 'value') =>
  dataOf(type).reduce((sum, data) => sum + Math.round(Number(data[field]) * 1000), 0) / 1000;

const CUMULATIVE = AggregationTemporalityPreference.CUMULATIVE;
const DELTA = AggregationTemporalityPreference.DELTA;
type Preference = AggregationTemporalityPreference;
type Case = [string, Preference, () => PushMetricExporter];
const exporters = [DELTA, CUMULATIVE].flatMap((temporalityPreference): Case[] => [
  [
    'gRPC',
    temporalityPreference,
    () => new GrpcExporter({ url: `http://localhost:${ports.grpc}`, temporalityPreference }),
  ],
  [
    'HTTP with JSON',
    temporalityPreference,
    () => new JsonExporter({ url: `http://localhost:${ports.http}/v1/metrics`, temporalityPreference }),
  ],
  [
    'HTTP with protobuf and gzip',
    temporalityPreference,
    () =>
      new ProtoExporter({
        url: `http://localhost:${ports.http}/v1/metrics`,
        temporalityPreference,
        compression: 'gzip' as never,
      }),
  ],
]);

test.each(exporters)(
  'the official exporter over %s, temporality %i: what was counted is billed, whatever restarts',
  async (_name, _preference, create) => {
    await start();
    // Two lives of a sender, and a restart of the collector in the first one.
    for (const life of [1, 2]) {
      const provider = new MeterProvider({
        readers: [new PeriodicExportingMetricReader({ exporter: create(), exportIntervalMillis: 3_600_000 })],
      });
      const meter = provider.getMeter('usage', '1.0');
      const tokens = meter.createCounter('tokens', { unit: '{token}' });
      const time = meter.createHistogram('call_time', { unit: 's' });
      const level = meter.createUpDownCounter('connections');
      for (const [n, amount] of [0.1, 5, 0.2].entries()) {
        tokens.add(amount, { subject: 'acme', model: 'a' });
        if (n === 1) tokens.add(7, { subject: 'other' });
        time.record(amount, { subject: 'acme' });
        level.add(n + 1, { subject: 'acme' });
        await provider.forceFlush();
        if (life === 1 && n === 1) {
          await running?.stop();
          await start('', ports);
        }
      }
      await provider.shutdown();
    }
    // 2 × (0.1 + 5 + 0.2), and 2 × 7 of the other's.
    await expect.poll(() => [total('tokens'), total('call_time')], { timeout: 20_000 }).toEqual([24.6, 10.6]);
    expect(dataOf('tokens')[0]).toMatchObject({ model: 'a', unit: '{token}' });
    expect(total('call_time', 'count')).toBe(6);
    expect(Math.max(...dataOf('connections').map(({ value }) => Number(value)))).toBe(6);
    // A value is what came since the last: three of one subject in a life, and one of the other.
    expect(dataOf('tokens')).toHaveLength(8);
  },
);

// Starts are behind the collector's own.
const NOW = `${Date.now() + 3_600_000}000000`;
const later = (seconds: number) => String(BigInt(NOW) + BigInt(seconds) * 1_000_000_000n);
interface Given {
  readonly start: number;
  readonly time: number;
  readonly value: number | string;
  readonly subject?: string;
}
const sums = (points: readonly Given[], aggregationTemporality: number | string = 2, more: object = {}) => ({
  resourceMetrics: [
    {
      scopeMetrics: [
        {
          metrics: [
            {
              name: 'used',
              sum: {
                aggregationTemporality,
                isMonotonic: true,
                dataPoints: points.map(({ start: from, time, value, subject = 'acme' }) => ({
                  startTimeUnixNano: from === 0 ? '0' : later(from),
                  timeUnixNano: later(time),
                  ...(typeof value === 'number' ? { asDouble: value } : { asInt: value }),
                  attributes: [{ key: 'subject', value: { stringValue: subject } }],
                  ...more,
                })),
              },
            },
          ],
        },
      ],
    },
  ],
});
const post = async (body: unknown) => {
  const answer = await fetch(`http://127.0.0.1:${ports.http}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
};

test('cumulative: what is sent again or late counts nothing; a new start counts from nothing; a fall is a new beginning', async () => {
  await start();
  const send = (...points: Given[]) => post(sums(points));
  await send({ start: 1, time: 10, value: 5 });
  await send({ start: 1, time: 10, value: 5 });
  await send({ start: 1, time: 30, value: 9 }, { start: 1, time: 20, value: 7 }, { start: 1, time: 40, value: 9.5 });
  // Two senders of one name: each has a start of its own.
  await send({ start: 2, time: 35, value: 100 });
  await send({ start: 1, time: 50, value: 9.5 }, { start: 2, time: 45, value: 101 });
  // Begun anew without saying so.
  await send({ start: 1, time: 60, value: 2 });
  await stored(6);
  expect(dataOf('used').map(({ value }) => value)).toEqual(['5', '4', '0.5', '100', '1', '2']);
});

test('a series that began before the collector is counted from where it is first seen', async () => {
  await start();
  await post(
    sums([
      { start: -8000, time: 10, value: 1000 },
      { start: 0, time: 10, value: 50, subject: 'unknown' },
    ]),
  );
  await post(
    sums([
      { start: -8000, time: 20, value: 1003 },
      { start: 0, time: 20, value: 51, subject: 'unknown' },
    ]),
  );
  await stored(2);
  expect(dataOf('used').map(({ value }) => value)).toEqual(['3', '1']);
});

test('delta: a point counts once by its series and times, in whichever request it comes', async () => {
  await start();
  const points = [
    { start: 1, time: 2, value: '9007199254740993' },
    { start: 2, time: 3, value: 0.25 },
  ];
  await post(sums(points, 1));
  await post(sums(points.slice(1), 'AGGREGATION_TEMPORALITY_DELTA'));
  await post(sums([{ start: 3, time: 4, value: 0.5 }], 1));
  await stored(3);
  expect(dataOf('used').map(({ value }) => value)).toEqual(['9007199254740993', '0.25', '0.5']);
});

test('what cannot be billed is refused by number and reason, and the rest is taken', async () => {
  await start(', max_series: 2');
  const { body } = await post(
    sums([
      { start: 1, time: 2, value: 1, subject: 'a' },
      { start: 1, time: 2, value: 1, subject: 'b' },
      { start: 1, time: 2, value: 1, subject: 'c' },
      { start: 1, time: 2, value: -1, subject: 'a' },
    ]),
  );
  const reasons = 'there are more than 2 series; the value is no quantity';
  expect(body).toEqual({ partialSuccess: { rejectedDataPoints: '2', errorMessage: reasons } });
  expect((await post(sums([{ start: 1, time: 9, value: 1 }], 0))).body).toMatchObject({
    partialSuccess: { errorMessage: 'the temporality must be delta or cumulative' },
  });
  // Points that say that there is none.
  expect((await post(sums([{ start: 1, time: 9, value: 1 }], 2, { flags: 1 }))).body).toEqual({});
  await stored(2);
  for (const broken of ['[', '{"resourceMetrics":[{]}', '{"resourceMetrics":[{} {}]}', '{"resourceMetrics": 5}']) {
    expect((await post(broken)).status).toBe(400);
  }
});

test('kills lose and double nothing of a cumulative series', async () => {
  const config = configOf('', { grpc: 0, http: 0 });
  const kills = process.env['LONG'] === '1' ? 200 : 2;
  let sent = 0;
  for (let kill = 0; kill < kills; kill++) {
    const collector = startCollectProcess(around.folder.path, config);
    ports = { grpc: 0, http: (await collector.line('taking OTLP metrics'))['http'] as number };
    let isOver = false;
    const client = (async () => {
      while (!isOver) await post(sums([{ start: 1, time: ++sent, value: sent / 4 }])).catch(() => undefined);
    })();
    await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 300));
    await collector.end('SIGKILL');
    isOver = true;
    await client;
  }
  await start();
  await post(sums([{ start: 1, time: ++sent, value: sent / 4 }]));
  await expect.poll(() => total('used'), { timeout: 20_000 }).toBe(sent / 4);
});
