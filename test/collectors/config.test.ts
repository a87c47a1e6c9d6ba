import { expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../collectors/config/read-config.ts';
import { SOURCES } from '../../collectors/sources.ts';

const files: Record<string, string> = { '/run/secrets/token': 's3cret: "x"\n' };
const read = (text: string, environment: Record<string, string> = {}) =>
  readConfig(text, SOURCES, {
    environment,
    readText(file) {
      const found = files[file];
      if (found === undefined) throw new Error('no such file');
      return found;
    },
  });
const problemsOf = (text: string, environment?: Record<string, string>) => {
  try {
    read(text, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, reason }) => `${path}: ${reason}`);
    throw error;
  }
  throw new Error('there is nothing wrong with it');
};

// The documented block of the output, and the documented input with additions of ours.
const DOCUMENTED = `
name: access-logs
input:
  otel_log: { address: 127.0.0.1:4317, timeout: 5s, http_address: ":4318", token: "\${OTLP_TOKEN:}", id_attribute: request_id }
pipeline:
  processors:
    - preset: opentelemetry-api-calls
output:
  http_client:
    url: "\${OPENMETER_URL:https://us.api.konghq.com}/v3/openmeter/events"
    verb: POST
    headers: { Authorization: "Bearer \${TOKEN}", Content-Type: application/json }
    timeout: 30s
    retry_period: 15s
    retries: 3
    max_retry_backoff: 1m
    max_in_flight: 64
    batch_as_multipart: false
    drop_on: [400]
    batching: { count: 100, period: 1s, processors: [{ archive: { format: json_array } }] }
`;

test('a documented file is read as it stands, with its defaults and references', () => {
  const { collectors, buffer, http } = read(DOCUMENTED.replace(/ +batch_as_multipart.*\n/, ''), { TOKEN: 'tok' });
  expect(collectors).toMatchObject([
    {
      name: 'access-logs',
      settings: {
        address: { host: '127.0.0.1', port: 4317 },
        httpAddress: { host: '0.0.0.0', port: 4318 },
        timeoutMs: 5000,
        token: undefined,
        idAttribute: 'request_id',
      },
      output: { token: 'tok', timeoutMs: 30_000, maxInFlight: 64, batching: { count: 100, periodMs: 1000 } },
    },
  ]);
  expect(collectors[0]?.output.url.href).toBe('https://us.api.konghq.com/v3/openmeter/events');
  expect(buffer).toEqual({ path: './collector.sqlite', maxBytes: 1024 ** 3 });
  expect(http).toEqual({ host: '127.0.0.1', port: 4195 });
});

const SHORT = (output: string) =>
  `name: n\ninput: { otel_log: {} }\npipeline: { processors: [{ jsonata: '{"a": "\${b}"}' }] }\noutput: ${output}`;

test('a secret comes from a file, whatever characters it has, and a program keeps its own signs', () => {
  const output = '{ openmeter: { url: "http://127.0.0.1:8888/v3/openmeter/", token: "${METER_TOKEN}" } }';
  // A space and a quote are none that a header can carry: the reference was followed, and its value is not told.
  expect(problemsOf(SHORT(output), { METER_TOKEN_FILE: '/run/secrets/token' })).toEqual([
    'output.openmeter.token: has characters that a header cannot carry',
  ]);
  files['/run/secrets/token'] = 'k:{"}\n';
  const [one] = read(SHORT(output), { METER_TOKEN_FILE: '/run/secrets/token' }).collectors;
  expect(one?.output).toMatchObject({ token: 'k:{"}' });
  expect(one?.output.url.href).toBe('http://127.0.0.1:8888/v3/openmeter/events');
});

test('everything that is wrong is said at once, by its path and without its value', () => {
  const problems = problemsOf(
    `
name: "with space"
input:
  otel_log: { address: nowhere, timeout: soon, tokens: abc }
pipeline:
  processors:
    - jsonata: '{"a": $now()}'
output:
  openmeter: { url: "ftp://x", token: "\${MISSING}", max_in_flight: 1000, batching: { count: 0 } }
buffer: { sqlite: { path: x, max_bytes: 5 } }
http: { address: ":4195", port: 1 }
more: 1
`,
  );
  expect(problems.toSorted()).toEqual(
    [
      'name: must have 1 to 100 letters, digits or . : @ _ -',
      'input.otel_log.address: must be an address such as 127.0.0.1:4317',
      'input.otel_log.timeout: must be a span of time such as 15s, 1m30s or 48h',
      'input.otel_log.tokens: is not known here',
      'pipeline.processors[0].jsonata: has $now, which gives another answer each time: a second read would count twice',
      'output.openmeter.url: must be an http or https URL',
      'output.openmeter.token: the environment has neither MISSING nor MISSING_FILE, and there is no default',
      'output.openmeter.max_in_flight: must be a whole number from 1 to 64',
      'output.openmeter.batching.count: must be a whole number from 1 to 1000',
      'buffer.sqlite.max_bytes: must be a whole number from 1048576 to 1099511627776',
      'http.port: is not known here',
      'more: is not known here',
    ].toSorted(),
  );
});

const OUTPUT = '{ openmeter: { url: "http://x/v3/openmeter" } }';
test.each([
  ['a: [', ['Flow sequence']],
  [`name: n\nname: m`, ['Map keys must be unique']],
  ['', ['the file is empty']],
  [
    `name: n\ninput: {}\npipeline: { processors: [{ preset: s3-rows }] }\noutput: ${OUTPUT}`,
    ['input: must have one of aws_s3, otel_log'],
  ],
  [
    `name: n\ninput: { otel_log: {} }\npipeline: { processors: [{ preset: nothing }] }\noutput: {}`,
    [
      'pipeline.processors[0]: must have either jsonata, or as preset one of kubernetes-pod-exec-time',
      'output: must have either openmeter or http_client',
    ],
  ],
  [
    `name: n\ninput: { otel_log: {} }\npipeline: { processors: [{ mapping: 'root = this' }] }\noutput: ${OUTPUT}`,
    ['pipeline.processors[0].mapping: is Bloblang, which is not read here'],
  ],
  [
    `collectors:\n  - { name: a, input: { otel_log: {} }, pipeline: { processors: [{ preset: s3-rows }] } }\n  - { name: a, input: { otel_log: {} }, pipeline: { processors: [{ preset: s3-rows }] }, output: ${OUTPUT} }`,
    ['collectors[0].output: is missing', 'collectors[1].name: is the name of another collector'],
  ],
])('%j says so', (text, wanted) => {
  const problems = problemsOf(text);
  for (const problem of wanted) expect(problems.join('\n')).toContain(problem);
});

test('several collectors share an output, or have one of their own', () => {
  const { collectors } = read(`
output: { openmeter: { url: "http://shared/v3/openmeter" } }
collectors:
  - { name: a, input: { otel_log: { address: ":1" } }, pipeline: { processors: [{ preset: s3-rows }] } }
  - { name: b, input: { otel_log: { address: ":2" } }, pipeline: { processors: [{ preset: s3-rows }] }, output: { openmeter: { url: "http://own" } } }
`);
  expect(collectors.map(({ name, output }) => [name, output.url.href])).toEqual([
    ['a', 'http://shared/v3/openmeter/events'],
    ['b', 'http://own/events'],
  ]);
});
