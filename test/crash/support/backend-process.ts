import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';

export const INGEST_TOKEN = 'crash-ingest-token-0123456789';
export const ADMIN_TOKEN = 'crash-admin-token-0123456789';

const MAX_SAID = 4000;

/** The backend as `npm start` runs it, that can be killed and started again on the same data. */
export interface BackendProcess {
  readonly url: string;
  readonly dataDir: string;
  start(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Ends it, and removes its data. */
  remove(): Promise<void>;
  get(path: string): Promise<unknown>;
  post(path: string, body: unknown): Promise<unknown>;
}

export function createBackendProcess(): BackendProcess {
  const dataDir = mkdtempSync(join(tmpdir(), 'crash-backend-'));
  let url = '';
  /** Its last words, should it end by itself. */
  let said = '';
  let end: (() => Promise<void>) | undefined;

  async function start(): Promise<void> {
    const child = spawn(process.execPath, ['bin/backend.js'], {
      env: { ...process.env, DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'info', ADMIN_TOKEN, INGEST_TOKEN },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const exited = new Promise<void>((resolve) => {
      child.once('exit', (code, signal) => {
        said += `\nended with ${code ?? signal}`;
        resolve();
      });
    });
    said = '';
    child.stderr.on('data', (chunk) => {
      said = (said + chunk).slice(-MAX_SAID);
    });
    // A test that fails must not leave it behind.
    const killWithUs = () => void child.kill('SIGKILL');
    process.once('exit', killWithUs);
    end = async () => {
      process.off('exit', killWithUs);
      child.kill('SIGKILL');
      await exited;
    };
    url = await urlOf(child);
    // Its log is of no interest, but somebody has to read it.
    child.stdout.resume();
  }

  async function call(path: string, init: { method?: 'POST'; body?: string }): Promise<unknown> {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' };
    // A connection of its own: the server ends one that has been idle for long, perhaps just when it is used again.
    const options = { ...init, headers, reset: true };
    const { statusCode, body } = await request(`${url}/v3/openmeter${path}`, options).catch((cause: unknown) => {
      throw new Error(`${path}: the backend does not answer: ${said}`, { cause });
    });
    const text = await body.text();
    if (statusCode >= 300) throw new Error(`${path}: ${statusCode} ${text}`);
    return JSON.parse(text);
  }

  return {
    get url() {
      return url;
    },
    dataDir,
    start,
    async kill() {
      await end?.();
      end = undefined;
    },
    async remove() {
      await end?.();
      rmSync(dataDir, { recursive: true, force: true });
    },
    get: (path) => call(path, {}),
    post: (path, body) => call(path, { method: 'POST', body: JSON.stringify(body) }),
  };
}

function urlOf(child: ReturnType<typeof spawn>): Promise<string> {
  return new Promise((resolve, reject) => {
    let written = '';
    child.once('exit', (code) => reject(new Error(`the backend ended with ${code}: ${written}`)));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        written += chunk;
        const found = /"url":"([^"]+)"/.exec(written)?.[1];
        if (found !== undefined) resolve(found);
      });
    }
  });
}
