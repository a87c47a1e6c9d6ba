import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../backend/config.ts';
import { type RunningBackend, startBackend } from '../../backend/main.ts';
import { createLogger } from '../../backend/platform/log.ts';

const TOKEN = 'token-of-the-backup-drill';
const METER = { key: 'calls', name: 'Calls', aggregation: 'count', event_type: 'call' };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'drill-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const start = (dataDir: string) =>
  startBackend(loadConfig({ DATA_DIR: dataDir, PORT: '0', ADMIN_TOKEN: TOKEN }), createLogger('silent'));

/** Runs the program behind an npm script. */
async function run(name: 'backup' | 'restore' | 'verify', dataDir: string, ...args: string[]) {
  const env = { ...process.env, DATA_DIR: dataDir };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [`bin/${name}.js`, ...args], { env });
    return { code: 0, text: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, text: stdout + stderr };
  }
}

async function call(backend: RunningBackend, method: string, path: string, body?: unknown, type = 'application/json') {
  const response = await fetch(`${backend.url}/v3/openmeter${path}`, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}`, ...(body !== undefined && { 'Content-Type': type }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
}

const batch = (number: number) =>
  Array.from({ length: 50 }, (_, index) => ({
    id: `${number}-${index}`,
    source: 'drill',
    type: 'call',
    subject: `subject-${index % 5}`,
    time: `2026-11-${String(1 + (number % 20)).padStart(2, '0')}T10:00:00Z`,
  }));

test('a backup under load is restored elsewhere: nothing answered before it is missing, and a replay makes it whole', async () => {
  const [dataDir, copy, restored] = [join(folder, 'data'), join(folder, 'copy'), join(folder, 'restored')];
  const backend = await start(dataDir);
  const { json: meter } = await call(backend, 'POST', '/meters', METER);
  let sent = 0;
  const send = async (to: RunningBackend, number: number) => {
    const answer = await call(to, 'POST', '/events', batch(number), 'application/cloudevents-batch+json');
    expect(answer.status).toBe(202);
  };
  for (; sent < 40; sent++) await send(backend, sent);
  const answeredBefore = sent;
  let isDone = false;
  const load = (async () => {
    for (; !isDone; sent++) await send(backend, sent);
  })();
  const backup = await run('backup', dataDir, copy);
  isDone = true;
  await load;
  expect(backup).toMatchObject({ code: 0, text: expect.stringContaining(`The backup is in ${copy}.`) });
  expect(sent).toBeGreaterThan(answeredBefore);
  await backend.stop();

  expect(await run('restore', restored, copy)).toMatchObject({ code: 0 });
  expect(await run('verify', restored)).toMatchObject({ code: 0, text: expect.stringContaining('1 meters, ') });
  const again = await start(restored);
  const total = async () => (await call(again, 'GET', '/ingest-totals')).json;
  const figure = async () => (await call(again, 'POST', `/meters/${meter.id}/query`, {})).json.data[0].value;
  const { stored } = await total();
  expect(stored).toBeGreaterThanOrEqual(answeredBefore * 50);
  expect(await figure()).toBe(String(stored));
  for (let number = 0; number < sent; number++) await send(again, number);
  expect((await total()).stored).toBe(sent * 50);
  expect(await figure()).toBe(String(sent * 50));
  await again.stop();
  expect(await run('verify', restored)).toMatchObject({ code: 0 });
});

test('what cannot be right is refused with a sentence', async () => {
  const [dataDir, copy] = [join(folder, 'data'), join(folder, 'copy')];
  expect(await run('backup', join(folder, 'nothing'), join(folder, 'x'))).toMatchObject({
    code: 1,
    text: expect.stringContaining('there is no control.sqlite'),
  });
  expect(await run('backup', dataDir, copy)).toMatchObject({ code: 1, text: expect.stringContaining('not empty') });
  expect(await run('restore', dataDir, copy)).toMatchObject({
    code: 1,
    text: expect.stringContaining('stop the backend and move them away first'),
  });
  expect(await run('restore', join(folder, 'y'), folder)).toMatchObject({
    code: 1,
    text: expect.stringContaining('no whole backup'),
  });
  expect(await run('backup', dataDir)).toMatchObject({ code: 2, text: expect.stringContaining('npm run backup') });
  const file = join(copy, 'usage.sqlite');
  const bytes = readFileSync(file);
  bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  expect(await run('restore', join(folder, 'y'), copy)).toMatchObject({
    code: 1,
    text: expect.stringContaining('usage.sqlite is not as it was written'),
  });
});

test('a figure that is not what the events say is found', async () => {
  const dataDir = join(folder, 'restored');
  const db = new SqliteDatabase(join(dataDir, 'usage.sqlite'));
  db.prepare('DELETE FROM events WHERE row_id = 1').run();
  db.close();
  const result = await run('verify', dataDir);
  expect(result.code).toBe(1);
  expect(result.text).toContain('by the events');
  // The events say what is right, and a backend that runs would say something else meanwhile.
  const running = await start(dataDir);
  expect(await run('verify', dataDir, '--repair')).toMatchObject({
    code: 1,
    text: expect.stringMatching(/is in use by the backend \(process \d+ /),
  });
  await running.stop();
  expect(await run('verify', dataDir, '--repair', 'a-backup')).toMatchObject({ code: 2 });
  const repaired = await run('verify', dataDir, '--repair');
  expect(repaired.text).toMatch(
    /^[1-9]\d* wrong stretches of time were computed anew\.\n1 meters, \d+ figures compared, 0 problems/,
  );
  expect(repaired.code).toBe(0);
  expect(await run('verify', dataDir)).toMatchObject({ code: 0 });
});
