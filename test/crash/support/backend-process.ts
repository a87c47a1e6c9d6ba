import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { processEnvironment } from '../../support/control-engine.ts';

export const INGEST_TOKEN = 'crash-ingest-token-0123456789';
export const ADMIN_TOKEN = 'crash-admin-token-0123456789';

const MAX_SAID = 4000;

/** The backend as `npm start` runs it, that can be killed and started again on the same data. */
export interface BackendProcess {
  readonly url: string;
  readonly dataDir: string;
  readonly pid: number | undefined;
  /** All of its standard error since the start. */
  said(): string;
  /** Resolves when it has ended by itself. */
  ended(): Promise<number | null>;
  start(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Ends it, and removes its data. */
  remove(): Promise<void>;
  get(path: string): Promise<unknown>;
  post(path: string, body: unknown): Promise<unknown>;
}

/** @param options.dataDir shared with another one, which removes it; default one of its own */
export function createBackendProcess(
  options: { dataDir?: string; environment?: Record<string, string>; command?: readonly string[] } = {},
): BackendProcess {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'crash-backend-'));
  const [program = process.execPath, ...args] = options.command ?? [process.execPath];
  let url = '';
  /** Its last words, should it end by itself. */
  let said = '';
  let end: (() => Promise<void>) | undefined;
  let pid: number | undefined;
  let code: Promise<number | null> = Promise.resolve(null);

  async function start(): Promise<void> {
    const database = await processEnvironment(dataDir);
    const child = spawn(program, [...args, 'bin/backend.js'], {
      env: {
        ...process.env,
        ...database,
        DATA_DIR: dataDir,
        PORT: '0',
        LOG_LEVEL: 'info',
        ADMIN_TOKEN,
        INGEST_TOKEN,
        ...options.environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    pid = child.pid;
    const exited = new Promise<number | null>((resolve) => {
      child.once('exit', (exitCode, signal) => {
        said += `\nended with ${exitCode ?? signal}`;
        resolve(exitCode);
      });
    });
    code = exited;
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
    return text === '' ? undefined : JSON.parse(text);
  }

  return {
    get url() {
      return url;
    },
    dataDir,
    get pid() {
      return pid;
    },
    said: () => said,
    ended: () => code,
    start,
    async kill() {
      await end?.();
      end = undefined;
    },
    async remove() {
      await end?.();
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
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
