import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { jsonMessage } from '../../../collectors/opentelemetry/json-message.ts';
import { logRecordsOf } from '../../../collectors/opentelemetry/log-records.ts';
import { LOGS_REQUEST } from '../../../collectors/opentelemetry/otlp-messages.ts';
import { protobufMessage } from '../../../collectors/opentelemetry/protobuf-message.ts';

// What the official exporters sent, over every transport: the same seven records of all shapes, plain and gzip.
interface Recording {
  readonly name: string;
  readonly transport: 'grpc' | 'http/json' | 'http/protobuf';
  readonly request: {
    readonly headers?: Record<string, string>;
    readonly body?: string;
    readonly bodyBase64?: string;
    readonly records: number;
  };
}
const recordings = readFileSync(join(import.meta.dirname, '../../fixtures/collectors/otlp-requests.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Recording);

function recordsOf({ transport, request }: Recording, idAttribute?: string) {
  const raw = Buffer.from(
    request.bodyBase64 ?? request.body ?? '',
    request.bodyBase64 === undefined ? 'utf8' : 'base64',
  );
  const body = request.headers?.['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
  const message = transport === 'http/json' ? jsonMessage(body) : protobufMessage(LOGS_REQUEST, body);
  return [...logRecordsOf(message, body, idAttribute)].flatMap(({ item }) => (item === undefined ? [] : [item]));
}

test.each(recordings)('$name is read whole', (recording) => {
  expect(recordsOf(recording)).toHaveLength(recording.request.records);
});

const shapes = recordings.filter(({ name }) => name.endsWith('shapes'));

test('every transport gives a mapping the same messages', () => {
  // Each transport was recorded at its own time.
  const messages = shapes.map((recording) =>
    JSON.parse(
      JSON.stringify(recordsOf(recording).map(({ message }) => message)).replaceAll(
        /"(?:observed_)?time_unix_nano":"\d+"/g,
        '"t":0',
      ),
    ),
  );
  expect(shapes).toHaveLength(3);
  const [first, ...others] = messages;
  // 2^55, of which JavaScript's JSON writes as many digits as tell it apart from its neighbours.
  const asSent = (message: unknown) =>
    JSON.parse(JSON.stringify(message).replace('36028797018963970', '36028797018963968'));
  for (const other of others) expect(asSent(other)).toEqual(first);
});

test('a record has its values, exactly', () => {
  const [recording] = shapes;
  if (recording === undefined) throw new Error('there are no recordings');
  const messages = recordsOf(recording).map(({ message }) => message as { record: Record<string, unknown> });
  const wide = messages.find(({ record }) => 'a.int' in (record['attributes'] as object));
  expect(wide).toMatchObject({
    resource: { attributes: { 'service.name': 'checkout', 'host.cpu.count': 4, 'process.tags': ['a', 'b'] } },
    scope: { name: 'usage-logger', version: '2.0.1' },
    record: {
      body: { kind: 'llm', tokens: { input: 120, output: 34 }, list: [1, 2, { deep: true }], nul: null },
      attributes: {
        'a.int': 42,
        'a.int.max.safe': '9007199254740991',
        'a.double': 0.1,
        'a.neg': -5,
        'a.nested': { tenant: { id: 'acme', tier: 2 } },
        'a.unicode': 'ünï 用量 💸',
        'a.nan': null,
        'a.inf': null,
        'a.bytes': 'AAH+/w==',
      },
    },
  });
});

test('a record is known by its uid, else by an attribute, else by its place in the body', () => {
  const [recording] = shapes;
  if (recording === undefined) throw new Error('there are no recordings');
  const parts = (idAttribute?: string) => recordsOf(recording, idAttribute).map((record) => record.parts);
  expect(parts()).toEqual(parts());
  expect(parts().filter(([kind]) => kind === 'uid')).toEqual([['uid', '01JDXYZ0000000000000000001']]);
  expect(parts('subject').filter(([kind]) => kind === 'uid').length).toBeGreaterThan(1);
  const placed = parts().filter(([kind]) => kind !== 'uid');
  expect(new Set(placed.map(([hash]) => hash)).size).toBe(1);
  expect(new Set(placed.map(([, index]) => index)).size).toBe(placed.length);
});
