// The three queries of a month, ours against OpenMeter's way of asking them on ClickHouse's engine: all raw events,
// JSON_VALUE over the JSON text, in a table sorted by namespace, type, subject and hour. The same events for both, and the
// answers are compared. The engine is half a gigabyte, so it is none of the project's dependencies; it is installed aside:
//   mkdir /tmp/chdb && npm install --prefix /tmp/chdb chdb@3.4.0
//   npm run bench:clickhouse -- --chdb /tmp/chdb [--events N] [--rounds N] [--dir FOLDER]
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type AnswerOrigin, openSqliteUsageStore } from '../backend/metering/usage-store/index.ts';
import { gatewayEvents, MONTH } from './gateway-events.ts';
import { ratioLine } from './report.ts';
import { CUSTOMER, QUERIES, WHOLE_MONTH } from './usage-queries.ts';

/** What is used of the package's face. */
interface Session {
  query(sql: string, format?: string): string;
  cleanup(): void;
}

const CHUNK = 100_000;
const LIMIT = 0.1;

const { values } = parseArgs({
  options: {
    chdb: { type: 'string' },
    events: { type: 'string', default: '5000000' },
    rounds: { type: 'string', default: '15' },
    dir: { type: 'string', default: tmpdir() },
  },
});
if (values.chdb === undefined) throw new Error('--chdb: the folder in which chdb was installed');
const require = createRequire(join(resolve(values.chdb), 'package.json'));
const { Session } = require('chdb') as { Session: new (path: string) => Session };
const total = Number.parseInt(values.events, 10);
const folder = mkdtempSync(join(values.dir, 'bench-clickhouse-'));

const WHERE = `namespace = 'default' AND type = 'kong.api_request' AND time >= toDateTime(${MONTH.fromMs / 1000}) AND time < toDateTime(${MONTH.toMs / 1000})`;
const THEIRS: Record<keyof typeof QUERIES, string> = {
  'month total of one customer': `SELECT count(*) FROM om_events WHERE ${WHERE} AND subject IN ('${CUSTOMER}')`,
  'month by day and route': `SELECT tumbleStart(time, toIntervalDay(1), 'UTC') AS start, JSON_VALUE(data, '$.route_name') AS route_name, count(*) FROM om_events WHERE ${WHERE} GROUP BY start, route_name ORDER BY start, route_name`,
  'top 100 customers of a month': `SELECT subject, count(*) AS value FROM om_events WHERE ${WHERE} GROUP BY subject ORDER BY value DESC, subject LIMIT 100`,
};

let origin: AnswerOrigin | undefined;
const theirs = new Session(join(folder, 'clickhouse'));
const ours = await openSqliteUsageStore(
  join(folder, 'usage.sqlite'),
  { nowMs: () => Date.now() },
  {
    onAnswer: (answered) => {
      origin = answered;
    },
  },
);
await fill();
for (const [name, query] of Object.entries(QUERIES) as [keyof typeof QUERIES, typeof WHOLE_MONTH][]) {
  const times = { ours: [] as number[], theirs: [] as number[] };
  for (let round = 0; round < Number.parseInt(values.rounds, 10); round++) {
    const began = performance.now();
    const rows = await ours.query(query);
    rows.sort((a, b) => (query.granularity === undefined ? Number(b.value) - Number(a.value) : 0));
    const between = performance.now();
    const answer = theirs.query(THEIRS[name], 'TSV').trim().split('\n');
    times.theirs.push(performance.now() - between);
    times.ours.push(between - began);
    const figures = rows.slice(0, query.granularity === undefined ? 100 : rows.length).map(({ value }) => value);
    if (figures.join() !== answer.map((line) => line.split('\t').at(-1)).join())
      throw new Error(`${name}: they differ`);
  }
  const [own, other] = [median(times.ours), median(times.theirs)];
  say(`${ratioLine(name, [own / other], LIMIT, 'at most')}; ${own.toFixed(1)} ms against ${other.toFixed(1)} ms`);
}
await ours.close();
theirs.cleanup();
rmSync(folder, { recursive: true });

/** The same events into both; ours then waits until all is folded, theirs until its parts are merged. */
async function fill(): Promise<void> {
  theirs.query(
    'CREATE TABLE om_events (namespace String, id String, type LowCardinality(String), subject String, source String, time DateTime, data String, ingested_at DateTime, stored_at DateTime) ENGINE = MergeTree PARTITION BY toYYYYMM(time) ORDER BY (namespace, type, subject, toStartOfHour(time))',
  );
  await ours.syncMeters([WHOLE_MONTH.meter]);
  const path = join(folder, 'chunk.jsonl');
  for (let done = 0; done < total; done += CHUNK) {
    const events = gatewayEvents(Math.min(CHUNK, total - done), done, (index) => `event-${index}`, total);
    for (let start = 0; start < events.length; start += 1000) await ours.append(events.slice(start, start + 1000));
    const file = createWriteStream(path);
    for (const { id, type, subject, source, timeMs, data } of events) {
      const at = Math.floor(timeMs / 1000);
      const row = { namespace: 'default', id, type, subject, source, time: at, data, ingested_at: at, stored_at: at };
      if (!file.write(`${JSON.stringify(row)}\n`)) await once(file, 'drain');
    }
    file.end();
    await once(file, 'close');
    theirs.query(`INSERT INTO om_events SELECT * FROM file('${path}', 'JSONEachRow')`);
  }
  do {
    await pause(200);
    await ours.query(WHOLE_MONTH);
  } while (origin?.pendingEvents !== 0);
  theirs.query('OPTIMIZE TABLE om_events FINAL');
  say(`${total.toLocaleString('en')} events stored in both`);
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
