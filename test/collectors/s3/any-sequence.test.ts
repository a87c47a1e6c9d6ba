import { afterAll, beforeAll, expect, test } from 'vitest';
import { bucketInput } from '../../support/collectors/bucket.ts';
import { type CollectProcess, startCollectProcess } from '../../support/collectors/collect-process.ts';
import { collectorConfig } from '../../support/collectors/collector-config.ts';
import { type IngestServer, startIngestServer } from '../../support/collectors/ingest-server.ts';
import { startCollect } from '../../support/collectors/running.ts';
import { type S3Server, startS3Server } from '../../support/collectors/s3-server.ts';
import { tempFolder } from '../../support/collectors/surroundings.ts';

/**
 * Whatever becomes of a collector, of its machine's clock, of the bucket and of the endpoint, in any order: in the end the same
 * rows have been counted as by a collector that nothing has become of.
 */
const RUNS = process.env['LONG'] === '1' ? 200 : 2;
const STEPS = 3;
const HOUR_MS = 3_600_000;

let s3: S3Server;
let server: IngestServer;
beforeAll(async () => {
  s3 = await startS3Server();
  server = await startIngestServer();
});
afterAll(async () => {
  await s3.close();
  await server.close();
});

const configOf = (folder: string, name: string) =>
  collectorConfig({
    name: 'bucket',
    input: bucketInput(s3.url, 'prefix: "{yyyy}/{MM}/{dd}/{HH}/"\nlookback: 3h'),
    mapping:
      '{"id": id, "type": "t", "source": "s3", "subject": "s", "time": "2026-11-30T01:00:00Z", "data": {"n": n}}',
    url: server.url,
    output: ', timeout: 2s',
    spool: `${folder}/${name}.sqlite`,
  });
const pick = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)] as T;

/** A bucket that is written to: some objects are whole at once, some grow, some come late. */
function createWriter() {
  const ids: string[] = [];
  const objects = new Map<string, string>();
  let number = 0;
  const rowsOf = (count: number) =>
    Array.from({ length: count }, () => {
      ids.push(`${++number}`);
      return `{"id":"${number}","n":"0.1"}\n`;
    }).join('');
  const put = (key: string, text: string) => {
    objects.set(key, text);
    s3.put(key, text);
  };
  return {
    ids,
    keys: () => [...objects.keys()],
    write() {
      const hour = new Date(Date.now() - pick([0, 0, 1, 2]) * HOUR_MS)
        .toISOString()
        .slice(0, 13)
        .replaceAll(/[-T]/g, '/');
      put(`${hour}/${pick(['a', 'm', 'z'])}${objects.size}.jsonl`, rowsOf(pick([1, 20, 1500, 4000])));
    },
    grow() {
      const key = pick([...objects.keys()]);
      put(key, `${objects.get(key)}${rowsOf(10)}`);
    },
  };
}

interface Run {
  readonly folder: string;
  readonly writer: ReturnType<typeof createWriter>;
  collector: CollectProcess;
}

const start = (folder: string, clockStepMs = 0, name = 'spool') =>
  startCollectProcess(folder, configOf(folder, name), [], clockStepMs);

const DISTURBANCES: Readonly<Record<string, (run: Run) => Promise<void> | void>> = {
  async killed(run) {
    await run.collector.end('SIGKILL');
    run.collector = start(run.folder);
  },
  async restarted(run) {
    expect(await run.collector.end('SIGTERM')).toBe(0);
    run.collector = start(run.folder);
  },
  async 'started twice'(run) {
    const second = start(run.folder);
    expect(await second.ended).toBe(1);
  },
  async 'started on another disk as well'(run) {
    const second = start(run.folder, 0, `other${Math.random()}`);
    await second.line('collecting');
    await wait(300);
    await second.end('SIGKILL');
  },
  async 'stepped in time'(run) {
    await run.collector.end('SIGKILL');
    run.collector = start(run.folder, pick([-400, -26, -2, 2, 26, 400, 9000]) * HOUR_MS);
  },
  'cut off from the bucket': () => s3.cut(),
  async 'without a bucket'() {
    s3.isDown = true;
    await wait(300);
    s3.isDown = false;
  },
  async 'without an endpoint'() {
    server.answer = () => ({ status: pick([500, 503, 429]) });
    await wait(300);
    server.answer = () => ({ status: 204 });
  },
};
const wait = (most: number) => new Promise<void>((resolve) => setTimeout(resolve, Math.random() * most));

test.each(Array.from({ length: RUNS }, (_, index) => index + 1))('run %i ends as an undisturbed one', async () => {
  const folder = tempFolder();
  const writer = createWriter();
  const run: Run = { folder: folder.path, writer, collector: start(folder.path) };
  const done: string[] = [];
  try {
    for (let index = 0; index < 3; index++) writer.write();
    for (let step = 0; step < STEPS; step++) {
      await run.collector.line('collecting').catch(() => undefined);
      await wait(400);
      const [name, disturb] = pick(Object.entries(DISTURBANCES));
      done.push(name);
      await disturb(run);
      pick([writer.write, writer.grow])();
    }
    await run.collector.end('SIGKILL');
    const last = startCollect(configOf(folder.path, 'spool'), ['--once']);
    expect(await last.ended, last.said.join()).toBe(0);
    const counted = server.stored.splice(0);
    server.forget();
    expect(counted.toSorted(), done.join(', ')).toEqual(writer.ids.toSorted());
  } finally {
    await run.collector.end('SIGKILL');
    for (const key of writer.keys()) s3.remove(key);
    folder.remove();
  }
});
