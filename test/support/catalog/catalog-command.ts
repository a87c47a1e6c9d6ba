import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../../backend/config.ts';
import { startBackend } from '../../../backend/main.ts';
import { createLogger } from '../../../backend/platform/log.ts';
import { runCatalog } from '../../../catalog/cli.ts';

import type { Json } from '../answers.ts';

const TOKEN = 'token-of-the-catalog-tests';

/** What one call of the command wrote. */
export interface Run {
  code: number;
  out: string;
  err: string;
}

/** A running backend with an empty catalog, and the command before it. */
export interface CatalogUnderTest {
  /** Writes the file and runs the command over it; "FILE" among the arguments is its path. */
  run(args: string, file?: string, options?: { answer?: boolean; token?: string }): Promise<Run>;
  /** Where "FILE" is. */
  path: string;
  call(method: string, path: string, body?: unknown): Promise<Json>;
  close(): Promise<void>;
}

export async function startCatalog(): Promise<CatalogUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'catalog-'));
  const config = loadConfig({ DATA_DIR: join(folder, 'data'), PORT: '0', ADMIN_TOKEN: TOKEN });
  const backend = await startBackend(config, createLogger('silent'));
  const path = join(folder, 'catalog.yaml');
  return {
    path,
    run: async (args, file, { answer, token = TOKEN } = {}) => {
      if (file !== undefined) writeFileSync(path, file);
      const run = { code: -1, out: '', err: '' };
      run.code = await runCatalog(
        args.split(' ').map((arg) => (arg === 'FILE' ? path : arg)),
        {
          environment: { METERING_URL: backend.url, METERING_TOKEN: token },
          print: (text) => {
            run.out += text;
          },
          say: (line) => {
            run.err += `${line.replaceAll(path, 'FILE')}\n`;
          },
          ask: async () => answer,
          readText: (name) => readFileSync(name, 'utf8'),
        },
      );
      return run;
    },
    call: async (method, where, body) => {
      const response = await fetch(`${backend.url}/v3/openmeter${where}`, {
        method,
        headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${where}: ${response.status} ${text}`);
      return text === '' ? undefined : JSON.parse(text);
    },
    close: async () => {
      await backend.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
