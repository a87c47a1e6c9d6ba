// How many rows a second a collector reads from objects of lines, commits and delivers to an endpoint that takes everything, and
// what memory it has meanwhile, plain and gzip.
//   npm run bench:collect-s3 -- [--rows N] [--objects N] [--rounds N] [--dir FOLDER]
import { gzipSync } from 'node:zlib';
import { startS3Server } from '../test/support/collectors/s3-server.ts';
import { startCollectBench } from './collecting.ts';
import { ratioLine } from './report.ts';

const LIMIT_ROWS = 10_000;
const LIMIT_MIB = 200;
const bench = await startCollectBench('collect-s3', { rows: 100_000, objects: 4, rounds: 3 });
const { rows, objects, rounds } = bench.numbers;
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
  const startedAt = performance.now();
  const collector = await bench.start(round, {
    input: `
aws_s3:
  { bucket: usage, endpoint: "${s3.url}", force_path_style_urls: true, credentials: { id: a, secret: b }, poll: 1s }`,
    preset: 's3-rows',
    batching: '{}',
  });
  const memory = await collector.untilSent(each * objects);
  const rate = (each * objects) / ((performance.now() - startedAt) / 1000);
  rates.push(rate);
  memories.push(memory / 1024 / 1024);
  console.log(
    `round ${round}: ${Math.round(rate).toLocaleString('en')} rows/s, ${Math.round(memory / 1e6)} MB resident`,
  );
  await collector.process.stop();
  await s3.close();
}
console.log(ratioLine('rows delivered a second', rates, LIMIT_ROWS));
console.log(ratioLine('most resident memory, MiB', memories, LIMIT_MIB, 'at most'));
await bench.close();
