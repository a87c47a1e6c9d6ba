import { expect, test } from 'vitest';
import { readConfig } from '../../collectors/config/read-config.ts';
import { convert } from '../../collectors/convert/convert.ts';
import { SOURCES } from '../../collectors/sources.ts';

const OUTPUT = `
output:
  switch:
    cases:
      - output:
          drop_on:
            error: true
            output:
              http_client:
                url: "\${OPENMETER_URL:https://us.api.konghq.com}/v3/openmeter/events"
                verb: POST
                headers: { Authorization: "Bearer \${TOKEN}", Content-Type: application/json }
                timeout: 30s
                retries: 3
                retry_period: 15s
                max_retry_backoff: 1m
                max_in_flight: 64
                drop_on: [400]
                batching: { count: 100, period: 1s, processors: [{ archive: { format: json_array } }] }
`;
const OTEL = `
input:
  otel_log: { address: 127.0.0.1:4317, timeout: 5s }
pipeline:
  processors:
    - mapping: |
        # an event for each call
        root = {
          "id": uuid_v4(),
          "specversion": "1.0",
          "type": "api-calls",
          "source": "otlp-log",
          "time": this.record.attributes.time,
          "subject": this.record.attributes.subject,
          "data": {
            "method": this.record.attributes.method,
            "zone": this.record.attributes."cloud.zone".or("none"),
            "ms": this.record.attributes.duration * 1000,
          },
        }
    - json_schema: { schema_path: file://./cloudevents.spec.json }
    - catch: [{ log: { level: ERROR } }]
logger: { level: INFO }
buffer: { sqlite: { path: ./buffer.db } }
`;

test('a documented configuration becomes one that is read, gives the same events, and says what is left out', async () => {
  const { yaml, notes } = convert(OTEL + OUTPUT);
  const { collectors, buffer } = readConfig(yaml, SOURCES, { environment: { TOKEN: 'tok' }, readText: () => '' });
  expect(collectors).toMatchObject([{ name: 'otel-log', output: { token: 'tok', maxInFlight: 64 } }]);
  expect(buffer.path).toBe('./buffer.db.collector');
  const record = { attributes: { time: 't', subject: 's', method: 'GET', duration: '0.1' } };
  expect(await collectors[0]?.mapping({ record }, {})).toEqual({
    kind: 'result',
    result: {
      specversion: '1.0',
      type: 'api-calls',
      source: 'otlp-log',
      time: 't',
      subject: 's',
      data: { method: 'GET', zone: 'none', ms: '100' },
    },
  });
  expect(notes).toEqual([
    'name: "otel-log" was made up; it is part of every id: choose once, and never change it',
    'pipeline: json_schema is left out; what is no event is kept as a dead letter',
    'pipeline: catch is left out; what is no event is kept as a dead letter',
    'pipeline: uuid_v4() is left out: ids derive from what is metered',
    'buffer.sqlite.path: the file is another one than the old; empty the old buffer first',
    'logger: is left out',
  ]);
});

test('a mapping with anything else is replaced by the nearest preset, and named', () => {
  const { yaml, notes } = convert(`
input: { aws_s3: { bucket: b, region: us-east-1, prefix: "usage/\${! timestamp_unix().ts_round(\\"1h\\") }/", max_retries: 3 } }
pipeline:
  processors:
    - mapping: |
        root.id = this.id
        root.data = this.rows.map_each(r -> r.value)
${OUTPUT}`);
  expect(yaml).toContain('preset: s3-rows');
  expect(yaml).toContain('prefix: usage/');
  expect(notes).toContainEqual(
    expect.stringMatching(/could not be translated \(line 2: the method map_each is not read|line 2/),
  );
  expect(notes).toContain('input.aws_s3.max_retries: is left out');
  expect(notes).toContain(
    'input.aws_s3.prefix: what is computed is left out; {yyyy}, {MM}, {dd} and {HH} are read here',
  );
});

test.each([
  ['root = this', '$'],
  ['root.a = meta("schedule_time")', '{\n  "a": $meta("interval_start")\n}'],
  [
    'root.a.b = @n\nroot.a.c = this.x | "y"',
    '{\n  "a": {\n    "b": $meta("n"),\n    "c": ($exists(x) ? x : "y")\n  }\n}',
  ],
  [
    'let s = this.n.string()\nroot = {"t": $s, "l": [1, true, null]}',
    '(\n$s := $string(n);\n{\n  "t": $s,\n  "l": [1, true, null]\n}\n)',
  ],
  ['root = this\nroot.time = now()\nroot.or = this.and', '$merge([$, {\n  "or": `and`\n}])'],
])('%j is %j', (mapping, jsonata) => {
  const { yaml } = convert(
    `input: { otel_log: {} }\npipeline: { processors: [{ mapping: ${JSON.stringify(mapping)} }] }${OUTPUT}`,
  );
  const { collectors } = readConfig(yaml, SOURCES, { environment: { TOKEN: 't' }, readText: () => '' });
  expect(collectors).toHaveLength(1);
  expect(yaml.replaceAll(/\n {8}/g, '\n')).toContain(jsonata.split('\n')[0]);
});

test('what is no such configuration is said', () => {
  expect(() => convert('input: { http_server: {} }')).toThrow(
    'input: must be one of otel_log, prometheus, run_ai, schedule, aws_s3; there is http_server',
  );
  expect(() => convert('a: [')).toThrow();
});
