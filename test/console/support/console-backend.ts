import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../../backend/config.ts';
import { startBackend } from '../../../backend/main.ts';
import { createLogger } from '../../../backend/platform/log.ts';
import { TOKENS } from '../../support/backend.ts';
import { copyDatabaseTemplate } from '../../support/database-template.ts';

/** The backend as users start it, with the built console, on a port of its own. */
export interface ConsoleBackend {
  url: string;
  /** Calls the API as the admin. @throws Error when it is refused */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
  api(method: string, path: string, body?: unknown): Promise<any>;
  stop(): Promise<void>;
}

/**
 * @param settings more of them, as environment variables
 * @param prepare puts something into the data folder before the start
 */
export async function startConsoleBackend(
  settings: Record<string, string> = {},
  prepare: (dataDir: string) => void = () => {},
): Promise<ConsoleBackend> {
  const dataDir = mkdtempSync(join(tmpdir(), 'console-'));
  copyDatabaseTemplate(dataDir);
  prepare(dataDir);
  const config = loadConfig({
    DATA_DIR: dataDir,
    PORT: '0',
    LOG_LEVEL: 'silent',
    ADMIN_TOKEN: TOKENS.admin,
    VIEWER_TOKEN: TOKENS.viewer,
    INGEST_TOKEN: TOKENS.ingest,
    ...settings,
  });
  const backend = await startBackend(config, createLogger('silent'));
  return {
    url: backend.url,
    api: async (method, path, body) => {
      const isEvent = path === '/events' && method === 'POST';
      const type = Array.isArray(body) ? 'application/cloudevents-batch+json' : 'application/cloudevents+json';
      const response = await fetch(`${backend.url}/v3/openmeter${path}`, {
        method,
        headers: { Authorization: `Bearer ${TOKENS.admin}`, 'Content-Type': isEvent ? type : 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return text === '' ? undefined : JSON.parse(text);
    },
    stop: async () => {
      await backend.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
