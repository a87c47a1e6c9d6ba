// What memory the backend takes while many ask for the largest answers at once, and take them slowly, against the limit
// of the Kubernetes manifest: in a group of processes with that limit where one can be made, this client included, since
// Node sizes its heaps by it. Each answer is a CSV of 100,000 rows, the most that a query may have.
//   npm run bench:query-memory -- [--subjects N] [--queries N] [--rounds N] [--dir FOLDER]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { request } from 'undici';
import { BATCH, call, REQUESTS_METER, sendAll, TOKEN } from './http-load.ts';
import { limitMemory } from './memory-limit.ts';
import { startProcess } from './processes.ts';
import { ratioLine } from './report.ts';

const BATCH_EVENTS = 1000;
const SAMPLE_MS = 20;
/** Of a slow client, after each piece that it has read. */
const PAUSE_MS = 5;

const { values } = parseArgs({
  options: {
    subjects: { type: 'string', default: '100000' },
    queries: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    dir: { type: 'string', default: tmpdir() },
  },
});
const subjects = Number.parseInt(values.subjects, 10);
const queries = Number.parseInt(values.queries, 10);
const rounds = Number.parseInt(values.rounds, 10);

/** The limit that a container of the backend is given. */
function limitBytes(): number {
  const manifest = readFileSync(new URL('../deploy/kubernetes/backend.yaml', import.meta.url), 'utf8');
  const gibibytes = /limits: \{ memory: (\d+)Gi \}/.exec(manifest)?.[1];
  if (gibibytes === undefined) throw new Error('deploy/kubernetes/backend.yaml has no limit in Gi');
  return Number.parseInt(gibibytes, 10) * 1024 ** 3;
}

function* batches(): Generator<string> {
  for (let first = 0; first < subjects; first += BATCH_EVENTS) {
    const events = Array.from({ length: Math.min(BATCH_EVENTS, subjects - first) }, (_, index) => ({
      specversion: '1.0',
      id: `event-${first + index}`,
      source: 'bench',
      type: REQUESTS_METER.event_type,
      subject: `a-customer-with-a-key-of-usual-length-${first + index}`,
      data: { request_method: 'GET', route_name: 'orders', service_name: 'shop' },
    }));
    yield JSON.stringify(events);
  }
}

/** Reads as a client does that has other things to do. @returns its bytes, or the status of a refusal */
async function ask(url: string, path: string): Promise<{ status: number; bytes: number }> {
  const { statusCode, body } = await request(`${url}/v3/openmeter${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, accept: 'text/csv', 'content-type': 'application/json' },
    body: JSON.stringify({ group_by_dimensions: ['subject'] }),
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  let bytes = 0;
  for await (const chunk of body) {
    bytes += (chunk as Uint8Array).length;
    await pause(PAUSE_MS);
  }
  return { status: statusCode, bytes };
}

const leave = limitMemory(limitBytes());
const folder = mkdtempSync(join(values.dir, 'bench-query-memory-'));
const backend = await startProcess(['bin/backend.js'], {
  DATA_DIR: join(folder, 'data'),
  PORT: '0',
  ADMIN_TOKEN: TOKEN,
  LOG_LEVEL: 'info',
});
const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
const say = (line: string) => process.stdout.write(`${line}\n`);
if (leave === undefined) say('no group with a limit can be made here: Node takes more where there is more');
try {
  const meter = (await call(backend.url, 'POST', '/meters', REQUESTS_METER)) as { id: string };
  await sendAll(backend.url, [...batches()], 4, BATCH);
  say(`${subjects.toLocaleString('en')} subjects stored, ${megabytes(backend.memoryBytes())} resident`);
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    let most = 0;
    const sampler = setInterval(() => {
      most = Math.max(most, backend.memoryBytes());
    }, SAMPLE_MS);
    const answers = await Promise.all(
      Array.from({ length: queries }, () => ask(backend.url, `/meters/${meter.id}/query`)),
    );
    clearInterval(sampler);
    const whole = answers.filter(({ status }) => status === 200);
    const rest = answers.filter(({ status }) => status !== 200).map(({ status }) => status);
    say(
      `round ${round}: ${whole.length} answers of ${megabytes(whole[0]?.bytes ?? 0)}, others ${rest.join(' ') || 'none'}; ` +
        `at most ${megabytes(most)} resident`,
    );
    ratios.push(most / limitBytes());
  }
  say(ratioLine(`memory of the backend under ${queries} of the largest queries / its limit`, ratios, 1, 'at most'));
} finally {
  await backend.stop();
  leave?.();
  rmSync(folder, { recursive: true });
}
