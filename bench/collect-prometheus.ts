// What memory a collector needs for what Prometheus answers, and how long it takes until all is delivered to an endpoint that takes
// everything: one answer of many series, a day to catch up with, and a counter of many series. Each in a process of its own.
//   npm run bench:collect-prometheus -- [--rounds N] [--only answer|day|counter] [--dir FOLDER]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { fetch } from 'undici';
import { startQueryServer } from '../test/support/collectors/prometheus/query-server.ts';
import { startProcess } from './processes.ts';
import { ratioLine } from './report.ts';

const LIMIT_MIB = 200;
/** What `npm run collect` gives Node. */
const FLAGS = ['--max-semi-space-size=4', '--max-old-space-size=256'];
const MINUTE_MS = 60_000;
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    dir: { type: 'string', default: tmpdir() },
  },
});

interface Case {
  readonly what: string;
  readonly input: string;
  readonly events: number;
  /** The series of the answer at an instant, as JSON. */
  answer(atSeconds: number, query: string): string;
}

const labelsOf = (index: number) =>
  `{"tenant":"customer-${index % 10_000}","route":"/v1/things/${index}","job":"api","instance":"10.0.0.1:9100"}`;
const list = (count: number, item: (index: number) => string) =>
  Array.from({ length: count }, (_, at) => item(at)).join();
const valuesOf = (count: number) => (at: number) =>
  `"vector","result":[${list(count, (index) => `{"metric":${labelsOf(index)},"value":[${at},"${index}.5"]}`)}]`;
const query = 'queries: [{ query: { name: use, promql: use } }]';
const dayAgo = new Date(Math.floor(Date.now() / MINUTE_MS - 1440) * MINUTE_MS).toISOString();
const tenAgo = new Date(Math.floor(Date.now() / MINUTE_MS - 4) * MINUTE_MS).toISOString();

const cases: Record<string, Case> = {
  answer: {
    what: 'an answer of 100,000 series',
    input: `schedule: "@every 1h"\n${query}`,
    events: 100_000,
    answer: valuesOf(100_000),
  },
  day: {
    what: 'a day of 100 series',
    input: `schedule: "@every 1m"\nstart: ${dayAgo}\n${query}`,
    events: 140_000,
    answer: valuesOf(100),
  },
  counter: {
    what: 'a counter of 20,000 series, four windows',
    input: `schedule: "@every 1m"\nstart: ${tenAgo}\ncounters: [{ counter: { name: use, selector: use_total, by: [tenant, route, instance] } }]`,
    events: 80_000,
    answer(at, asked) {
      if (!asked.startsWith('use_total')) return '"matrix","result":[]';
      const span = asked.includes('[1m]') || asked.includes('[60s]') ? 60 : 360;
      const seconds = Array.from({ length: span / 15 }, (_, back) => at - span + (back + 1) * 15);
      const samples = seconds.map((second) => `[${second},"${second}"]`).join();
      return `"matrix","result":[${list(20_000, (index) => `{"metric":${labelsOf(index)},"values":[${samples}]}`)}]`;
    },
  },
};

const folder = mkdtempSync(join(values.dir, 'bench-collect-prometheus-'));
const receiver = await startProcess(['bench/event-receiver.ts'], {});
const server = await startQueryServer();
for (const [name, one] of Object.entries(cases)) {
  if (values.only !== undefined && values.only !== name) continue;
  const memories: number[] = [];
  for (let round = 1; round <= Number.parseInt(values.rounds, 10); round++) memories.push(await run(name, one, round));
  console.log(ratioLine(`${one.what}: most resident memory, MiB`, memories, LIMIT_MIB, 'at most'));
}
await server.close();
await receiver.stop();
rmSync(folder, { recursive: true });

async function run(name: string, { what, input, events, answer }: Case, round: number): Promise<number> {
  const config = join(folder, `${name}-${round}.yaml`);
  server.answer = ({ query: asked, timeMs }, response) => {
    response.end(`{"status":"success","data":{"resultType":${answer(timeMs / 1000, asked)}}}`);
    return 'done';
  };
  writeFileSync(
    config,
    `
name: bench-${name}-${round}
input:
  prometheus:
    url: ${server.url}
    delay: 0s
${input.replaceAll(/^/gm, '    ')}
pipeline: { processors: [{ preset: prometheus-series }] }
output: { openmeter: { url: "${receiver.url}" } }
buffer: { sqlite: { path: "${join(folder, `${name}-${round}.sqlite`)}" } }
http: { address: "127.0.0.1:0" }
`,
  );
  const startedAt = performance.now();
  const collector = await startProcess([...FLAGS, 'bench/collect-process.ts', config], {});
  const { metrics } = JSON.parse(collector.url.replaceAll("'", '"')) as { metrics: string };
  for (;;) {
    const text = await (await fetch(`${metrics}/metrics`)).text();
    const sent = Number.parseInt(/openmeter_events_sent\{[^}]*\} (\d+)/.exec(text)?.[1] ?? '0', 10);
    if (sent >= events) break;
    await pause(50);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const mib = collector.mostMemoryBytes() / 1024 / 1024;
  console.log(`${what}, round ${round}: ${Math.round(mib)} MiB at most, ${seconds.toFixed(1)} s`);
  await collector.stop();
  return mib;
}
