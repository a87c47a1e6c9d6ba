import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import openapiTypescript, { astToString } from 'openapi-typescript';
import { build } from 'vite';
import { loadConfig } from '../backend/config.ts';
import { startBackend } from '../backend/main.ts';
import { createLogger } from '../backend/platform/log.ts';

// Builds the console: the types of the API from the backend's own OpenAPI document, then the files that it serves.
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TYPES = join(ROOT, 'console/api/generated/schema.d.ts');
// Whoever calls this, a test runner too: users get the build for production.
process.env['NODE_ENV'] = 'production';
const { values } = parseArgs({
  options: {
    'types-only': { type: 'boolean', default: false },
    'if-missing': { type: 'boolean', default: false },
  },
});
if (values['if-missing'] && existsSync(join(ROOT, 'dist/console/index.html'))) process.exit(0);

async function readApiDocument(): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'console-types-'));
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

const types = astToString(await openapiTypescript(await readApiDocument()));
mkdirSync(dirname(TYPES), { recursive: true });
writeFileSync(TYPES, types);
if (!values['types-only']) await build({ configFile: join(ROOT, 'console/vite.config.ts'), logLevel: 'warn' });
