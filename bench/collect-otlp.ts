// How many OTLP log records a second a collector acknowledges, which is when they are on disk, and how many arrive meanwhile
// at an endpoint that takes everything; against decoding the same requests and committing events of the same size, and a cursor,
// in a transaction for each, with nothing else. Both have worked on other requests before, as a collector that has run for a
// minute has. CPU time depends less on what else the machine does than rates do.
//   npm run bench:collect -- [--records N] [--warm N] [--batch N] [--connections N] [--rounds N] [--dir FOLDER]
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
    warm: { type: 'string', default: '30000' },
    batch: { type: 'string', default: '1000' },
    connections: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
    dir: { type: 'string', default: tmpdir() },
  },
});
const [records, warm, batch, connections, rounds] = [
  values.records,
  values.warm,
  values.batch,
  values.connections,
  values.rounds,
].map((text) => Number.parseInt(text, 10)) as [number, number, number, number, number];
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
const cpuRatios: number[] = [];
let mostMemory = 0;
for (let round = 1; round <= rounds; round++) {
  const warming = requestsOf(warm, `${round}-warm`);
  const bodies = requestsOf(records, String(round));
  bareRate(warming, warm, join(folder, `warm-${round}.sqlite`));
  const bare = bareRate(bodies, records, join(folder, `bare-${round}.sqlite`));
  const { acknowledged, delivered, cpu, cpuDelivered, memory } = await collectorRate(warming, bodies, round);
  ratios.push(acknowledged / bare.perSecond);
  cpuRatios.push(bare.cpu / cpu);
  mostMemory = Math.max(mostMemory, memory);
  say(
    `round ${round}: ${rate(acknowledged)} acknowledged, ${rate(delivered)} delivered; decoding and bare commits ${rate(bare.perSecond)}; ` +
      `CPU of a record ${micros(cpu)} until all was acknowledged, ${micros(cpuDelivered)} until it was delivered, ${micros(bare.cpu)} bare; ` +
      `${Math.round(memory / 1e6)} MB resident`,
  );
}
say(ratioLine('records acknowledged / decoding and bare commits', ratios, LIMIT));
say(ratioLine('the same by CPU time', cpuRatios, LIMIT));
say(ratioLine('most resident memory, MiB', [mostMemory / 1024 / 1024], 200, 'at most'));
await receiver.stop();
rmSync(folder, { recursive: true });

async function collectorRate(warming: readonly Buffer[], bodies: readonly Buffer[], round: number) {
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
  const from = new Pool(metrics);
  let memory = 0;

  const work = async (waiting: Buffer[]) => {
    for (let body = waiting.shift(); body !== undefined; body = waiting.shift()) {
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

  async function push(requests: readonly Buffer[]): Promise<void> {
    const waiting = [...requests];
    await Promise.all(Array.from({ length: connections }, () => work(waiting)));
  }

  async function untilSent(count: number): Promise<void> {
    for (;;) {
      const answer = await from.request({ method: 'GET', path: '/metrics' });
      const text = await answer.body.text();
      memory = Math.max(memory, collector.memoryBytes());
      if (new RegExp(`openmeter_events_sent\\{[^}]*\\} ${count}\\b`).test(text)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  await push(warming);
  await untilSent(warm);
  const [startedAt, cpuBefore] = [performance.now(), collector.cpuSeconds()];
  await push(bodies);
  const acknowledged = records / ((performance.now() - startedAt) / 1000);
  const cpu = (collector.cpuSeconds() - cpuBefore) / records;
  await untilSent(warm + records);
  const delivered = records / ((performance.now() - startedAt) / 1000);
  const cpuDelivered = (collector.cpuSeconds() - cpuBefore) / records;
  await Promise.all([pool.close(), from.close()]);
  await collector.stop();
  return { acknowledged, delivered, cpu, cpuDelivered, memory };
}

/** The least that an acknowledgement needs: decode, and have as many bytes and a cursor on disk, request by request. */
function bareRate(bodies: readonly Buffer[], count: number, file: string) {
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec('CREATE TABLE spool (number INTEGER PRIMARY KEY, event TEXT NOT NULL)');
  db.exec('CREATE TABLE cursor (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID');
  const advance = db.prepare('INSERT INTO cursor VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value');
  const insert = db.prepare('INSERT INTO spool (event) VALUES (?)');
  const event = JSON.stringify({ ...EVENT, id: 'x'.repeat(22) });
  const [startedAt, cpuBefore] = [performance.now(), process.cpuUsage()];
  for (const [request, body] of bodies.entries()) {
    const { resourceLogs } = LOGS_REQUEST.decode(body) as unknown as LogsRequest;
    const scopes = resourceLogs.flatMap(({ scopeLogs }) => scopeLogs);
    const here = scopes.reduce((sum, { logRecords }) => sum + logRecords.length, 0);
    db.transaction(() => {
      for (let index = 0; index < here; index++) insert.run(event);
      advance.run('request', String(request));
    })();
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  db.close();
  return { perSecond: count / seconds, cpu: (user + system) / 1e6 / count };
}

function requestsOf(records: number, round: string): Buffer[] {
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

function micros(seconds: number): string {
  return `${(seconds * 1e6).toFixed(1)} µs`;
}

function rate(perSecond: number): string {
  return `${Math.round(perSecond).toLocaleString('en')}/s`;
}

function say(line: string): void {
  console.log(line);
}
