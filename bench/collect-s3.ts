// How many rows a second a collector reads from objects of lines, commits and delivers to an endpoint that takes everything, and
// what memory it has meanwhile, plain and gzip.
//   npm run bench:collect-s3 -- [--rows N] [--objects N] [--rounds N] [--dir FOLDER]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { fetch } from 'undici';
import { startS3Server } from '../test/collectors/support/s3-server.ts';
import { startProcess } from './processes.ts';
import { ratioLine } from './report.ts';

const LIMIT_ROWS = 10_000;
const LIMIT_MIB = 200;
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    objects: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    dir: { type: 'string', default: tmpdir() },
  },
});
const [rows, objects, rounds] = [values.rows, values.objects, values.rounds].map((text) =>
  Number.parseInt(text, 10),
) as [number, number, number];
const folder = mkdtempSync(join(values.dir, 'bench-collect-s3-'));
const receiver = await startProcess(['bench/event-receiver.ts'], {});
const rates: number[] = [];
const memories: number[] = [];
for (let round = 1; round <= rounds; round++) {
  const s3 = await startS3Server();
  const each = Math.ceil(rows / objects);
  const line = (index: number) =>
    `{"id":"${round}-${index}","time":"2026-11-30T01:00:00.000Z","subject_field":"customer-${index % 100}","data_field":"${index}.5"}\n`;
  for (let object = 0; object < objects; object++) {
    const text = Array.from({ length: each }, (_, index) => line(object * each + index)).join('');
    s3.put(`part-${object}.jsonl${object % 2 === 0 ? '' : '.gz'}`, object % 2 === 0 ? text : gzipSync(text));
  }
  const config = join(folder, 'config.yaml');
  writeFileSync(
    config,
    `
name: bench-${round}
input:
  aws_s3:
    { bucket: usage, endpoint: "${s3.url}", force_path_style_urls: true, credentials: { id: a, secret: b }, poll: 1s }
pipeline: { processors: [{ preset: s3-rows }] }
output: { openmeter: { url: "${receiver.url}" } }
buffer: { sqlite: { path: "${join(folder, `spool-${round}.sqlite`)}" } }
http: { address: "127.0.0.1:0" }
`,
  );
  const flags = ['--max-semi-space-size=4', '--max-old-space-size=256'];
  const startedAt = performance.now();
  const collector = await startProcess([...flags, 'bench/collect-process.ts', config], {});
  const { metrics } = JSON.parse(collector.url.replaceAll("'", '"')) as { metrics: string };
  const sent = new RegExp(`openmeter_events_sent\\{[^}]*\\} ${each * objects}\\b`);
  let memory = 0;
  for (;;) {
    const text = await (await fetch(`${metrics}/metrics`)).text();
    memory = Math.max(memory, collector.memoryBytes());
    if (sent.test(text)) break;
    await pause(50);
  }
  const rate = (each * objects) / ((performance.now() - startedAt) / 1000);
  rates.push(rate);
  memories.push(memory / 1024 / 1024);
  console.log(
    `round ${round}: ${Math.round(rate).toLocaleString('en')} rows/s, ${Math.round(memory / 1e6)} MB resident`,
  );
  await collector.stop();
  await s3.close();
}
console.log(ratioLine('rows delivered a second', rates, LIMIT_ROWS));
console.log(ratioLine('most resident memory, MiB', memories, LIMIT_MIB, 'at most'));
await receiver.stop();
rmSync(folder, { recursive: true });
