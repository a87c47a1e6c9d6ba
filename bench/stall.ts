// The longest turn of the backend's main thread for each operation, in CPU time, with the worst bodies that are allowed:
// while a turn lasts, nobody else is answered. Beside it, what single events wait while the worst bodies of ingest come.
//   npm run bench:stall -- [--only TEXT | --work] [--customers N] [--lines N] [--dir FOLDER]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { request } from 'undici';
import { type WorstRequest, worstRequests } from './worst-bodies.ts';
import { prepareWork } from './worst-work.ts';

const LIMIT_MS = 100;
let measured: number[] = [];
let count = 0;
const TOKEN = 'bench-admin-token-0123456789';
const OTHER_TOKEN = 'bench-ingest-token-0123456789';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    work: { type: 'boolean', default: false },
    customers: { type: 'string', default: '1500' },
    lines: { type: 'string', default: '3000' },
    dir: { type: 'string', default: tmpdir() },
  },
});
const folder = mkdtempSync(join(values.dir, 'bench-stall-'));
const backend = fork(new URL('./stall-process.ts', import.meta.url), {
  env: {
    ...process.env,
    DATA_DIR: join(folder, 'data'),
    PORT: '0',
    ADMIN_TOKEN: TOKEN,
    INGEST_TOKEN: OTHER_TOKEN,
  },
});
const [{ url }] = (await once(backend, 'message')) as [{ url: string }];
try {
  const { body } = await request(`${url}/openapi.json`);
  const document = await body.json();
  const all = values.work ? [] : worstRequests(document).filter(({ operation }) => operation.includes(values.only));
  // Once before it counts: what is compiled or read for the first time is no fault of a body.
  for (const each of all.filter(({ bytes }) => (bytes?.length ?? 0) < 3_000_000)) await ask(each);
  const worst = new Map<string, { ms: number; body: string; status: number }>();
  const size = { customers: Number.parseInt(values.customers, 10), lines: Number.parseInt(values.lines, 10) };
  const works = (await prepareWork(askJson, size)).filter(({ operation }) => operation.includes(values.only));
  for (const { operation, what, run } of works) {
    const { ms } = await longestTurn(async () => {
      await run();
      return 200;
    });
    worst.set(`${operation}: ${what}`, { ms, body: 'done', status: 200 });
  }
  for (const each of all) {
    const { ms, status } = await longestTurn(() => ask(each));
    if (ms > (worst.get(each.operation)?.ms ?? -1)) worst.set(each.operation, { ms, body: each.body, status });
  }
  for (const [operation, { ms, body: what, status }] of [...worst].sort(([, a], [, b]) => b.ms - a.ms)) {
    say(`${ms.toFixed(0).padStart(5)} ms  ${operation} (${what}: ${status})`);
  }
  const longest = Math.max(...[...worst.values()].map(({ ms }) => ms));
  say(`longest turn: ${longest.toFixed(0)} ms of CPU; at most ${LIMIT_MS}: ${longest <= LIMIT_MS ? 'met' : 'MISSED'}`);
  const ingest = all.filter(({ operation }) => operation === 'ingest-metering-events');
  if (ingest.length > 0) await besideWorstBodies(ingest);
} finally {
  backend.disconnect();
  await once(backend, 'exit');
  rmSync(folder, { recursive: true, force: true });
}

async function longestTurn(work: () => Promise<number>): Promise<{ ms: number; status: number }> {
  backend.send('begin');
  await once(backend, 'message');
  const status = await work();
  backend.send('end');
  const [{ longestMs }] = (await once(backend, 'message')) as [{ longestMs: number }];
  return { ms: longestMs, status };
}

async function ask({ method, path, headers, bytes }: WorstRequest): Promise<number> {
  const { statusCode, body } = await request(`${url}${path}`, {
    method: method as 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    ...(bytes !== undefined && { body: bytes }),
  });
  await body.dump();
  return statusCode;
}

async function askJson(method: string, path: string, body?: unknown) {
  const answer = await request(`${url}/v3/openmeter${path}`, {
    method: method as 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.body.text();
  if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 1000)}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** One token sends the worst bodies, one after the other; another sends single events meanwhile. */
async function besideWorstBodies(bodies: readonly WorstRequest[]): Promise<void> {
  const alone = await latencies(async () => {
    for (let count = 0; count < 300; count++) await single();
  });
  let isOver = false;
  const others = (async () => {
    for (const body of bodies) await ask(body);
    isOver = true;
  })();
  const beside = await latencies(async () => {
    while (!isOver) await single();
  });
  await others;
  const show = (sorted: readonly number[]) =>
    `p50 ${at(sorted, 0.5).toFixed(1)} ms, p99 ${at(sorted, 0.99).toFixed(1)} ms, longest ${at(sorted, 1).toFixed(0)} ms (${sorted.length})`;
  say(`single events alone: ${show(alone)}; beside the worst bodies of another token: ${show(beside)}`);
}

async function latencies(work: () => Promise<void>): Promise<number[]> {
  measured = [];
  await work();
  return measured.sort((a, b) => a - b);
}

async function single(): Promise<void> {
  const beganAtMs = performance.now();
  const { body } = await request(`${url}/v3/openmeter/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${OTHER_TOKEN}`, 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({ id: `single-${++count}`, source: 'single', type: 'stall', subject: 'x' }),
  });
  await body.dump();
  measured.push(performance.now() - beganAtMs);
}

function at(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
