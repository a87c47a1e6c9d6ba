import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { consoleFingerprint, noteFingerprint, stateOfConsole } from './console-fingerprint.ts';

// Builds the console: the files that the backend serves. Types of the API leave no trace in them and are not made here.
const ROOT = fileURLToPath(new URL('..', import.meta.url));
// Whoever calls this, a test runner too: users get the build for production.
process.env['NODE_ENV'] = 'production';
const { values } = parseArgs({
  options: {
    'if-stale': { type: 'boolean', default: false },
  },
});

async function buildConsole(): Promise<void> {
  const fingerprint = consoleFingerprint(ROOT);
  const { build } = await import('vite');
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

if (values['if-stale']) await buildIfStale();
else await buildConsole();
