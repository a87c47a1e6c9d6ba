import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeSdkTypes } from './sdk-types.ts';

// Builds the client: its types from the backend's own OpenAPI document, then what `npm pack ./sdk` packs.
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({ options: { 'types-only': { type: 'boolean', default: false } } });

await writeSdkTypes(ROOT);
if (!values['types-only']) {
  rmSync(join(ROOT, 'sdk/dist'), { recursive: true, force: true });
  const compiler = fileURLToPath(import.meta.resolve('typescript/bin/tsc'));
  execFileSync(process.execPath, [compiler, '-p', join(ROOT, 'sdk')], { stdio: 'inherit' });
}
