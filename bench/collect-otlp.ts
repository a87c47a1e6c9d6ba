// How many OTLP log records a second a collector acknowledges, which is when they are on disk, and how many arrive meanwhile
// at an endpoint that takes everything; against decoding the same requests and committing the same events with nothing else.
//   npm run bench:collect -- [--records N] [--batch N] [--connections N] [--rounds N] [--dir FOLDER]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import protobuf from 'protobufjs';
import { Pool } from 'undici';
import { LOGS_REQUEST } from '../collectors/opentelemetry/otlp-messages.ts';
import { startProcess } from './processes.ts';
import { ratioLine } from './report.ts';

const LIMIT = 0.5;
const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '60000' },
    batch: { type: 'string', default: '1000' },
    connections: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
    dir: { type: 'string', default: tmpdir() },
  },
});
const [records, batch, connections, rounds] = [values.records, values.batch, values.connections, values.rounds].map(
  (text) => Number.parseInt(text, 10),
) as [number, number, number, number];
const folder = mkdtempSync(join(values.dir, 'bench-collect-'));
const receiver = await startProcess(['bench/event-receiver.ts'], {});
const EVENT = {
  specversion: '1.0',
  type: 'api-calls',
  source: 'otlp-log',
  subject: 'customer-17',
  time: '2026-11-30T00:53:20.137Z',
  data: { method: 'GET', path: '/v1/items', region: 'eu-central-1', zone: 'a', duration: '12.5' },
};
interface LogsRequest {
  readonly resourceLogs: readonly { readonly scopeLogs: readonly { readonly logRecords: readonly unknown[] }[] }[];
}
const ratios: number[] = [];
let mostMemory = 0;
for (let round = 1; round <= rounds; round++) {
  const bodies = requestsOf(round);
  const bare = bareRate(bodies, join(folder, `bare-${round}.sqlite`));
  const { acknowledged, delivered, memory } = await collectorRate(bodies, round);
  ratios.push(acknowledged / bare);
  mostMemory = Math.max(mostMemory, memory);
  say(
    `round ${round}: ${rate(acknowledged)} acknowledged, ${rate(delivered)} delivered; decoding and bare commits ${rate(bare)}; ${Math.round(memory / 1e6)} MB resident`,
  );
}
say(ratioLine('records acknowledged / decoding and bare commits', ratios, LIMIT));
say(ratioLine('most resident memory, MiB', [mostMemory / 1024 / 1024], 200, 'at most'));
await receiver.stop();
rmSync(folder, { recursive: true });

async function collectorRate(bodies: readonly Buffer[], round: number) {
  const config = join(folder, 'config.yaml');
  writeFileSync(
    config,
    `
name: bench-${round}
input: { otel_log: { address: "127.0.0.1:0", http_address: "127.0.0.1:0" } }
pipeline: { processors: [{ preset: opentelemetry-api-calls }] }
output: { openmeter: { url: "${receiver.url}", batching: { count: 100, period: 1s } } }
buffer: { sqlite: { path: "${join(folder, `spool-${round}.sqlite`)}" } }
http: { address: "127.0.0.1:0" }
`,
  );
  // With the flags that "npm run collect" has.
  const collector = await startProcess(
    ['--max-semi-space-size=4', '--max-old-space-size=256', 'bench/collect-process.ts', config],
    {},
  );
  const { otlp, metrics } = JSON.parse(collector.url.replaceAll("'", '"')) as { otlp: string; metrics: string };
  const pool = new Pool(otlp, { connections, pipelining: 1 });
  const startedAt = performance.now();
  let memory = 0;
  let next = 0;
  const work = async () => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const answer = await pool.request({
        method: 'POST',
        path: '/v1/logs',
        headers: { 'content-type': 'application/x-protobuf' },
        body,
      });
      await answer.body.dump();
      if (answer.statusCode !== 200) throw new Error(`the collector answered ${answer.statusCode}`);
      memory = Math.max(memory, collector.memoryBytes());
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  const acknowledged = records / ((performance.now() - startedAt) / 1000);
  const from = new Pool(metrics);
  for (;;) {
    const answer = await from.request({ method: 'GET', path: '/metrics' });
    const text = await answer.body.text();
    memory = Math.max(memory, collector.memoryBytes());
    if (new RegExp(`openmeter_events_sent\\{[^}]*\\} ${records}\\b`).test(text)) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const delivered = records / ((performance.now() - startedAt) / 1000);
  await Promise.all([pool.close(), from.close()]);
  await collector.stop();
  return { acknowledged, delivered, memory };
}

/** The least that has to be done: decode, and commit as many bytes in as many transactions. */
function bareRate(bodies: readonly Buffer[], file: string): number {
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec('CREATE TABLE spool (number INTEGER PRIMARY KEY, event TEXT NOT NULL)');
  const insert = db.prepare('INSERT INTO spool (event) VALUES (?)');
  const event = JSON.stringify({ ...EVENT, id: 'x'.repeat(22) });
  const startedAt = performance.now();
  for (const body of bodies) {
    const { resourceLogs } = LOGS_REQUEST.decode(body) as unknown as LogsRequest;
    const count = resourceLogs.flatMap(({ scopeLogs }) => scopeLogs);
    const here = count.reduce((sum, { logRecords }) => sum + logRecords.length, 0);
    db.transaction(() => {
      for (let index = 0; index < here; index++) insert.run(event);
    })();
  }
  const seconds = (performance.now() - startedAt) / 1000;
  db.close();
  return records / seconds;
}

function requestsOf(round: number): Buffer[] {
  const type = requestType();
  return Array.from({ length: Math.ceil(records / batch) }, (_, request) => {
    const logRecords = Array.from({ length: batch }, (_record, index) => ({
      timeUnixNano: '1796000000137000000',
      body: { stringValue: 'GET /v1/items 200' },
      attributes: Object.entries({
        ...EVENT.data,
        subject: `customer-${index % 100}`,
        request_id: `${round}-${request}-${index}`,
      })
        .concat([['time', '2026-11-30T00:53:20.137Z']])
        .map(([key, stringValue]) => ({ key, value: { stringValue: String(stringValue) } })),
    }));
    return Buffer.from(type.encode(type.fromObject({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] })).finish());
  });
}

/** As much of the messages as the requests have. */
function requestType(): protobuf.Type {
  const list = (type: string, id: number) => ({ rule: 'repeated' as const, type, id });
  return protobuf.Root.fromJSON({
    nested: {
      Request: { fields: { resourceLogs: list('Resource', 1) } },
      Resource: { fields: { scopeLogs: list('Scope', 2) } },
      Scope: { fields: { logRecords: list('Log', 2) } },
      Log: {
        fields: {
          timeUnixNano: { type: 'fixed64', id: 1 },
          body: { type: 'Value', id: 5 },
          attributes: list('Pair', 6),
        },
      },
      Pair: { fields: { key: { type: 'string', id: 1 }, value: { type: 'Value', id: 2 } } },
      Value: { fields: { stringValue: { type: 'string', id: 1 } } },
    },
  }).lookupType('Request');
}

function rate(perSecond: number): string {
  return `${Math.round(perSecond).toLocaleString('en')}/s`;
}

function say(line: string): void {
  console.log(line);
}
