import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The OpenAPI document as a backend of its own, with no data, serves it. */
export async function readApiDocument(): Promise<string> {
  const { loadConfig } = await import('../backend/config.ts');
  const { startBackend } = await import('../backend/main.ts');
  const { createLogger } = await import('../backend/platform/log.ts');
  const dataDir = mkdtempSync(join(tmpdir(), 'api-document-'));
  const config = loadConfig({
    DATA_DIR: dataDir,
    PORT: '0',
    LOG_LEVEL: 'silent',
    ADMIN_TOKEN: 'only-to-read-the-document',
  });
  const backend = await startBackend(config, createLogger('silent'));
  try {
    return await (await fetch(`${backend.url}/openapi.json`)).text();
  } finally {
    await backend.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
