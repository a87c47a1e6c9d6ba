import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';
import { runAnewOnChange } from './dev-process.ts';
import { writeSdkTypes } from './sdk-types.ts';

// For work on the backend and the console: both, each anew when its sources change. Settings are those of the backend, from the
// environment; its data is kept apart, in data/dev.
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DEVELOPMENT = { ADMIN_TOKEN: 'only-for-development', DATA_DIR: 'data/dev', PORT: '8888' };

const backend = runAnewOnChange(
  () =>
    spawn(process.execPath, ['bin/backend.js'], {
      cwd: ROOT,
      env: { ...DEVELOPMENT, ...process.env },
      stdio: 'inherit',
    }),
  [fileURLToPath(new URL('../backend', import.meta.url))],
);
await writeSdkTypes(ROOT);
const console_ = await createServer({
  configFile: fileURLToPath(new URL('../console/vite.config.ts', import.meta.url)),
});
await console_.listen();
console_.printUrls();
console.log(`  Token    ${process.env['ADMIN_TOKEN'] ?? DEVELOPMENT.ADMIN_TOKEN}\n`);

const stop = async () => {
  await Promise.all([backend.stop(), console_.close()]);
  process.exit(0);
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
