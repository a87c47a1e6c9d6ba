import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { readApiDocument } from './api-document.ts';
import { consoleFingerprint, noteFingerprint, stateOfConsole } from './console-fingerprint.ts';

// Builds the console: the types of the API from the backend's own OpenAPI document, then the files that it serves.
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TYPES = join(ROOT, 'console/api/generated/schema.d.ts');
// Whoever calls this, a test runner too: users get the build for production.
process.env['NODE_ENV'] = 'production';
const { values } = parseArgs({
  options: {
    'types-only': { type: 'boolean', default: false },
    'if-stale': { type: 'boolean', default: false },
  },
});

async function writeTypes(): Promise<void> {
  const { default: openapiTypescript, astToString, NUMBER, STRING, tsUnion } = await import('openapi-typescript');
  const ast = await openapiTypescript(await readApiDocument(), {
    // Numbers of a query travel as text: the console keeps them in the page's own address, where they are text too.
    transform: ({ type }, { path }) =>
      type === 'integer' && /\/page\[(?:size|number)\]$/.test(path ?? '') ? tsUnion([NUMBER, STRING]) : undefined,
  });
  const types = astToString(ast);
  mkdirSync(dirname(TYPES), { recursive: true });
  writeFileSync(TYPES, types);
}

async function buildConsole(): Promise<void> {
  const fingerprint = consoleFingerprint(ROOT);
  const { build } = await import('vite');
  await writeTypes();
  await build({ configFile: join(ROOT, 'console/vite.config.ts'), logLevel: 'warn' });
  compressAssets();
  noteFingerprint(ROOT, fingerprint);
}

/** Beside each script and style its gzipped copy, which the backend serves to browsers that take it. */
function compressAssets(): void {
  for (const file of globSync('dist/console/assets/*.{js,css}', { cwd: ROOT })) {
    const path = join(ROOT, file);
    writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
  }
}

/** Before every start: nothing is loaded, and next to nothing read, where there is nothing to build. */
async function buildIfStale(): Promise<void> {
  const state = stateOfConsole(ROOT);
  if (state === 'current') return;
  try {
    await import('vite');
  } catch (error) {
    // Installed without what only development needs: an API without a console, or with an older one, is better than none.
    if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    console.error(
      `The console is ${state} and cannot be built: run "npm ci" without leaving out development packages.`,
    );
    return;
  }
  console.error(state === 'stale' ? 'The console has changed and is built anew …' : 'The console is built …');
  await buildConsole();
}

if (values['types-only']) await writeTypes();
else if (values['if-stale']) await buildIfStale();
else await buildConsole();
