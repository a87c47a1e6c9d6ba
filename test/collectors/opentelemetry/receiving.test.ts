import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { OTLPLogExporter as GrpcExporter } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtoExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { LoggerProvider, type LogRecordExporter, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { Agent, fetch } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { collectorConfig } from '../../support/collectors/collector-config.ts';
import { type IngestServer, startIngestServer } from '../../support/collectors/ingest-server.ts';
import { type RunningCollect, startCollect } from '../../support/collectors/running.ts';
import { tempFolder } from '../../support/collectors/surroundings.ts';

const MAPPING = `{
  "type": "api-calls", "source": "otlp-log", "subject": record.attributes.subject, "data": {"n": record.attributes.n}
}`;
const TOKEN = 'otlp-token';
/** A request with one record, as the official exporter sent it. */
const RECORDED = Buffer.from(
  readFileSync(join(import.meta.dirname, '../../fixtures/collectors/otlp-requests.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .find(({ name }) => name === 'grpc: headers').request.bodyBase64,
  'base64',
);
const folder = tempFolder();
const tls = { cert: join(folder.path, 'cert.pem'), key: join(folder.path, 'key.pem') };
let server: IngestServer;
let running: RunningCollect;
let ports: { grpc: number; http: number };

beforeAll(() => {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', tls.key, '-out', tls.cert], {
    stdio: 'ignore',
  });
});
beforeEach(async () => {
  server = await startIngestServer();
});
afterEach(async () => {
  await running.stop();
  await server.close();
});
afterAll(() => folder.remove());

let spools = 0;
async function start(input = '', buffer = '', mapping = MAPPING, args: readonly string[] = []): Promise<void> {
  const config = collectorConfig({
    name: 'logs',
    input: `otel_log: { address: "127.0.0.1:0", http_address: "127.0.0.1:0", id_attribute: order ${input} }`,
    mapping,
    url: server.url,
    spool: join(folder.path, `${++spools}.sqlite`),
    buffer,
  });
  running = startCollect(config, args);
  const line = await running.line('taking OTLP logs');
  ports = { grpc: line['grpc'] as number, http: line['http'] as number };
}

const logs = (attributes: readonly Record<string, string>[]) => ({
  resourceLogs: [
    {
      scopeLogs: [
        {
          logRecords: attributes.map((own) => ({
            timeUnixNano: '1796000000137000000',
            attributes: Object.entries(own).map(([key, stringValue]) => ({ key, value: { stringValue } })),
          })),
        },
      ],
    },
  ],
});
const post = (body: unknown, headers: Record<string, string> = {}, path = '/v1/logs') =>
  fetch(`http://127.0.0.1:${ports.http}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: body instanceof Uint8Array ? body : JSON.stringify(body),
  });
const stored = (count: number) => expect.poll(() => server.stored.length, { timeout: 20_000 }).toBe(count);

const exporters: [string, (secure: boolean) => LogRecordExporter][] = [
  ['gRPC', (secure) => new GrpcExporter({ url: `${secure ? 'https' : 'http'}://localhost:${ports.grpc}` })],
  [
    'gRPC with gzip',
    (secure) =>
      new GrpcExporter({ url: `${secure ? 'https' : 'http'}://localhost:${ports.grpc}`, compression: 'gzip' as never }),
  ],
  [
    'HTTP with JSON',
    (secure) => new JsonExporter({ url: `${secure ? 'https' : 'http'}://localhost:${ports.http}/v1/logs` }),
  ],
  [
    'HTTP with protobuf and gzip',
    (secure) =>
      new ProtoExporter({
        url: `${secure ? 'https' : 'http'}://localhost:${ports.http}/v1/logs`,
        compression: 'gzip' as never,
      }),
  ],
];

test.each(exporters)('the official exporter over %s delivers', async (_name, create) => {
  await start();
  await emit(create(false), 3);
  await stored(3);
});

test.each(exporters)('the official exporter over %s and TLS delivers', async (_name, create) => {
  await start(`, tls: { cert_file: "${tls.cert}", key_file: "${tls.key}" }`);
  // What the exporters trust, by OpenTelemetry's own variable.
  process.env['OTEL_EXPORTER_OTLP_CERTIFICATE'] = tls.cert;
  try {
    await emit(create(true), 2);
    await stored(2);
  } finally {
    delete process.env['OTEL_EXPORTER_OTLP_CERTIFICATE'];
  }
});

async function emit(exporter: LogRecordExporter, count: number): Promise<void> {
  const provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter } as never)] });
  const logger = provider.getLogger('usage');
  for (let n = 0; n < count; n++) logger.emit({ body: 'used', attributes: { subject: 'customer-1', n } });
  await provider.forceFlush();
  await provider.shutdown();
}

test('a request that is sent again counts once, and so does a record with its own id in another request', async () => {
  await start();
  const body = logs([{ subject: 'a' }, { subject: 'b' }]);
  expect(await (await post(body)).text()).toBe('{}');
  await post(body);
  await post(logs([{ subject: 'a', order: '1' }]));
  await post(logs([{ subject: 'x' }, { subject: 'a', order: '1' }]));
  await stored(4);
  // The same body, packed.
  const packed = await promisify(gzip)(Buffer.from(JSON.stringify(body)));
  await post(new Uint8Array(packed), { 'content-encoding': 'gzip' });
  await post(logs([{ subject: 'last' }]));
  await stored(5);
});

test('records that make no event are refused by number and reason, and the others are taken', async () => {
  await start();
  const answer = await post(logs([{ subject: 'a' }, { nobody: 'x' }, { nobody: 'y' }]));
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({
    partialSuccess: { rejectedLogRecords: '2', errorMessage: 'the event has no subject' },
  });
  await stored(1);
});

test('when there is no room the client is asked to come again, and what it sends then counts once', async () => {
  server.answer = () => ({ status: 503 });
  await start('', ', max_bytes: 1048576');
  // A megabyte of events, which nobody takes.
  const attributes = Array.from({ length: 2300 }, (_, n) => ({ subject: `customer-${n}`, n: 'x'.repeat(300) }));
  expect((await post(logs(attributes))).status).toBe(200);
  const refused = await post(logs([{ subject: 'late' }]));
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('2');
  expect(await grpc({}, frame(RECORDED))).toMatchObject({
    'grpc-status': '14',
    'grpc-message': encodeURIComponent('the spool is full'),
    'grpc-status-details-bin': expect.stringMatching(/./),
  });
  server.answer = () => ({ status: 204 });
  await stored(2300);
  // There is room again once the collector has its answer, which is later than the endpoint's having stored them.
  await expect.poll(async () => (await post(logs([{ subject: 'late' }]))).status).toBe(200);
  await stored(2301);
});

test.each([
  ['another path', () => post({}, {}, '/v1/traces'), 404],
  ['another type', () => post({}, { 'content-type': 'text/plain' }), 415],
  ['another encoding', () => post({}, { 'content-encoding': 'br' }), 415],
  ['no JSON', () => post(new Uint8Array([1, 2])), 400],
  ['no protobuf', () => post(new Uint8Array([255, 255]), { 'content-type': 'application/x-protobuf' }), 400],
  ['no gzip', () => post(new Uint8Array([1, 2]), { 'content-encoding': 'gzip' }), 400],
  ['too much', () => post({ x: 'y'.repeat(3000) }), 413],
])('HTTP: %s is answered so that the client knows', async (_name, send, status) => {
  await start(', max_message_bytes: 2048');
  expect((await send()).status).toBe(status);
});

test.each([
  ['records without anything', '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}RECORDS]}]}]}'],
  ['lists of nothing', '{"resourceLogs":[{}RECORDS]}'],
])('a request of millions of %s is refused before any of it is taken', async (_name, shape) => {
  await start();
  const body = Buffer.from(shape.replace('RECORDS', ',{}'.repeat(1_000_000)));
  expect((await post(new Uint8Array(body))).status).toBe(413);
  // One that is broken behind its first pieces.
  const many = JSON.stringify(logs(Array.from({ length: 5000 }, () => ({ subject: 'a' })))).replace(/}]}$/, '}]');
  expect((await post(new Uint8Array(Buffer.from(many)))).status).toBe(400);
  await post(logs([{ subject: 'last' }]));
  await stored(1);
});

test('of a request that is broken behind more than is kept at once nothing is taken', async () => {
  const large =
    '{"type": "a", "source": "s", "subject": record.attributes.subject, "data": {"x": record.attributes.x}}';
  await start('', '', large);
  const records = Array.from({ length: 60 }, () => ({ subject: 'a', x: 'y'.repeat(200_000) }));
  const whole = JSON.stringify(logs(records));
  expect((await post(new Uint8Array(Buffer.from(whole.replace(/}]}]}$/, '},]}]}'))))).status).toBe(400);
  await post(logs([{ subject: 'last' }]));
  await stored(1);
  expect((await post(new Uint8Array(Buffer.from(whole)))).status).toBe(200);
  await stored(61);
});

test('a record that is too large, or nests too deeply, is refused, and the others are taken', async () => {
  await start();
  const deep = { key: 'deep', value: {} };
  for (let value: Record<string, unknown> = deep.value, n = 0; n < 50; n++) {
    const inner = {};
    Object.assign(value, { arrayValue: { values: [inner] } });
    value = inner;
  }
  const body = logs([{ subject: 'a' }, { subject: 'b', x: 'y'.repeat(600_000) }, { subject: 'c' }]);
  body.resourceLogs[0]?.scopeLogs[0]?.logRecords[2]?.attributes.push(deep as never);
  const answer = (await (await post(body)).json()) as { partialSuccess: { rejectedLogRecords: string } };
  expect(answer.partialSuccess.rejectedLogRecords).toBe('2');
  await stored(1);
});

test('a gzip that unpacks to more than a message may have is refused', async () => {
  await start(', max_message_bytes: 2048');
  const bomb = await promisify(gzip)(Buffer.alloc(1024 * 1024, ' '));
  expect((await post(new Uint8Array(bomb), { 'content-encoding': 'gzip' })).status).toBe(413);
});

test('who has not the token is told so, over both', async () => {
  await start(`, token: ${TOKEN}`);
  expect((await post({})).status).toBe(401);
  expect((await post({}, { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
  expect(await grpc({}, frame(Buffer.alloc(0)))).toMatchObject({ 'grpc-status': '16' });
  expect(await grpc({ authorization: `Bearer ${TOKEN}` }, frame(Buffer.alloc(0)))).toMatchObject({
    'grpc-status': '0',
  });
});

test.each([
  [
    'another service',
    { ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export' },
    frame(Buffer.alloc(0)),
    '12',
  ],
  ['another encoding', { 'grpc-encoding': 'snappy' }, frame(Buffer.alloc(0)), '12'],
  ['half a message', {}, Buffer.from([0, 0, 0, 0, 9, 1]), '3'],
  ['no message', {}, frame(Buffer.from([255, 255])), '3'],
  ['too much', {}, frame(Buffer.alloc(4000)), '8'],
])('gRPC: %s is answered so that the client knows', async (_name, headers, body, status) => {
  await start(', max_message_bytes: 2048');
  expect(await grpc(headers, body)).toMatchObject({ ':status': 200, 'grpc-status': status });
});

test('a call that does not come in is ended, so that what it holds keeps out nobody', async () => {
  await start(', timeout: 100ms, max_message_bytes: 33554432');
  const session = connect(`http://127.0.0.1:${ports.grpc}`);
  const call = session.request({
    ':method': 'POST',
    ':path': '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
    'content-type': 'application/grpc',
  });
  call.on('error', () => {});
  call.write(Buffer.alloc(1000));
  await new Promise((resolve) => call.once('close', resolve));
  session.destroy();
});

test('health, readiness and metrics are told', async () => {
  await start();
  await post(logs([{ subject: 'a' }, { nobody: 'x' }]));
  await stored(1);
  const collecting = await running.line('collecting');
  const get = (path: string) =>
    fetch(`http://${collecting['http']}${path}`, { dispatcher: new Agent({ pipelining: 0 }) });
  expect((await get('/ping')).status).toBe(200);
  expect((await get('/healthz')).status).toBe(200);
  expect((await get('/ready')).status).toBe(200);
  expect((await get('/nothing')).status).toBe(404);
  const metrics = await (await get('/metrics')).text();
  expect(metrics).toContain('openmeter_event_received{collector="logs"} 2');
  expect(metrics).toContain('openmeter_events_sent{collector="logs"} 1');
  expect(metrics).toContain('collector_dead_letters_total{collector="logs",reason="unmapped"} 1');
  expect(metrics).not.toContain('collector_source_lag_seconds{');
});

function frame(message: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

/** One call as any client of HTTP/2 makes it; resolves with the headers and trailers. */
function grpc(headers: Record<string, string>, body: Buffer): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const client = connect(`http://127.0.0.1:${ports.grpc}`);
    client.on('error', reject);
    const call = client.request({
      ':method': 'POST',
      ':path': '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    const all: Record<string, unknown> = {};
    call.on('response', (answer) => Object.assign(all, answer));
    call.on('trailers', (trailers) => Object.assign(all, trailers));
    call.on('error', () => {});
    call.on('close', () => {
      client.close();
      resolve(all);
    });
    call.resume();
    call.end(body);
  });
}

test('a dry run prints the events of a request, and its client is asked to come again', async () => {
  await start('', '', MAPPING, ['--dry-run', '--once']);
  const answer = await post(logs([{ subject: 'a' }, { subject: 'b' }]));
  expect(answer.status).toBe(503);
  expect(await running.ended).toBe(0);
  const events = running.printed.map((text) => JSON.parse(text));
  expect(events).toMatchObject([{ subject: 'a' }, { subject: 'b' }]);
  expect(server.requests).toEqual([]);
  // The same request to a collector that runs makes the same events.
  await start();
  await post(logs([{ subject: 'a' }, { subject: 'b' }]));
  await stored(2);
  expect(server.stored.toSorted()).toEqual(events.map(({ id }) => id).toSorted());
});

test('the files of a certificate that are not there are named', async () => {
  await start();
  await running.stop();
  running = startCollect(`
name: logs
input: { otel_log: { address: "127.0.0.1:0", tls: { cert_file: /nowhere/cert.pem, key_file: ${tls.key} } } }
pipeline: { processors: [{ preset: opentelemetry-api-calls }] }
output: { openmeter: { url: "${server.url}" } }
buffer: { sqlite: { path: "${join(folder.path, `${++spools}.sqlite`)}" } }
http: { address: "127.0.0.1:0" }
`);
  expect(await running.ended).toBe(1);
  expect(running.said).toEqual(['/nowhere/cert.pem cannot be read']);
  expect(readFileSync(tls.key, 'utf8')).toContain('PRIVATE KEY');
});
