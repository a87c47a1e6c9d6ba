import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'process-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

interface Started {
  url: string;
  stderr: () => string;
  stdout: () => string;
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts the backend as "npm start" does, on a free port. */
function start(environment: Record<string, string> = {}): Promise<Started> {
  const child = spawn(process.execPath, ['bin/backend.js'], {
    env: { PATH: process.env['PATH'], DATA_DIR: dataDir, PORT: '0', ...environment },
  });
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`exited with ${code}: ${stderr}`)));
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      const url = /"url":"([^"]+)"/.exec(stdout)?.[1];
      if (url === undefined) return;
      const stop = (signal: NodeJS.Signals) => {
        child.kill(signal);
        return exited;
      };
      resolve({ url, stdout: () => stdout, stderr: () => stderr, stop });
    });
  });
}

const post = (url: string, token: string, id: string) =>
  fetch(`${url}/v3/openmeter/events`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/cloudevents+json' },
    body: JSON.stringify({ id, source: 's', type: 't', subject: 'x' }),
  });
const total = async (url: string, token: string) => {
  const response = await fetch(`${url}/v3/openmeter/events?page[size]=100`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  return ((await response.json()) as { data: unknown[] }).data.length;
};

describe('access tokens', () => {
  test('without any, the first start makes one, prints it once and keeps it for its owner only', async () => {
    const first = await start();
    const file = join(dataDir, 'admin-token');
    const token = readFileSync(file, 'utf8').trim();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(first.stderr()).toContain(token);
    expect(first.stdout()).not.toContain(token);
    expect((await post(first.url, token, '1')).status).toBe(202);
    await first.stop('SIGTERM');
    expect(readFileSync(join(dataDir, 'control.sqlite')).includes(token)).toBe(false);

    const second = await start();
    expect(second.stderr()).toBe('');
    expect((await post(second.url, token, '2')).status).toBe(202);
    expect(await total(second.url, token)).toBe(2);
    await second.stop('SIGTERM');
  });

  test('configured ones are used and none is made', async () => {
    const token = 'configured-admin-token';
    const backend = await start({ ADMIN_TOKEN: token });
    expect(backend.stderr()).toBe('');
    expect((await post(backend.url, token, '1')).status).toBe(202);
    await backend.stop('SIGTERM');
  });
});

describe('ending', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s: exit code 0', async (signal) => {
    const backend = await start();
    expect(statSync(join(dataDir, 'usage.sqlite')).mode & 0o777).toBe(0o600);
    expect(await backend.stop(signal)).toBe(0);
    // Every connection was closed: nothing of the write-ahead logs is left.
    const marks = ['control.sqlite-mark', 'owner.lock', 'usage.sqlite', 'usage.sqlite-mark'];
    expect(readdirSync(dataDir).sort()).toEqual(['admin-token', 'control.sqlite', ...marks]);
  });

  test('SIGTERM finishes a request that was begun', async () => {
    const token = 'configured-admin-token';
    const backend = await start({ ADMIN_TOKEN: token });
    const body = JSON.stringify({ id: '1', source: 's', type: 't', subject: 'x' });
    const { hostname, port } = new URL(backend.url);
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const head = `POST /v3/openmeter/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/cloudevents+json\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`;
    socket.write(head);
    // The server has begun with the request once it asks for the body.
    await expect.poll(() => answer).toContain('100 Continue');
    const stopped = backend.stop('SIGTERM');
    await expect.poll(backend.stdout).toContain('stopping');
    socket.write(body);
    await closed;
    expect(answer).toContain('202 Accepted');
    expect(await stopped).toBe(0);
    const again = await start({ ADMIN_TOKEN: token });
    expect(await total(again.url, token)).toBe(1);
    await again.stop('SIGTERM');
  });

  test('SIGKILL loses nothing that was answered', async () => {
    const token = 'configured-admin-token';
    const backend = await start({ ADMIN_TOKEN: token });
    for (let index = 0; index < 20; index++) expect((await post(backend.url, token, `${index}`)).status).toBe(202);
    await backend.stop('SIGKILL');
    const again = await start({ ADMIN_TOKEN: token });
    expect(await total(again.url, token)).toBe(20);
    await again.stop('SIGTERM');
  });
});

test('an idle connection is kept for as long as is set', async () => {
  const backend = await start({ KEEP_ALIVE_TIMEOUT_MS: '120000' });
  const { headers, body } = await request(`${backend.url}/healthz`);
  await body.dump();
  expect(headers['keep-alive']).toBe('timeout=120');
  await backend.stop('SIGTERM');
});

describe('a wrong configuration', () => {
  test('is refused with every mistake, and without values', async () => {
    const error = await start({ PORT: 'eighty', ADMIN_TOKEN: 'short', LOG_LEVEL: 'loud' }).catch(
      (reason: Error) => reason.message,
    );
    expect(error).toMatch(/PORT/);
    expect(error).toMatch(/ADMIN_TOKEN/);
    expect(error).toMatch(/LOG_LEVEL/);
    expect(error).not.toContain('short');
  });
});

test('on too old a Node the entries say which one is needed', async () => {
  const { execFile } = await import('node:child_process');
  const script = "import('./bin/require-node.js').then((m) => m.requireNode(20))";
  const result = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(process.execPath, ['-e', script], (error, _stdout, stderr) => resolve({ code: error?.code, stderr }));
  });
  expect(result).toEqual({ code: 1, stderr: expect.stringContaining('needs Node 24') });
});
