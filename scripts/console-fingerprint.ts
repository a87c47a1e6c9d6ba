import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a console was built from stands beside it: in the folder itself it would be served. */
const FINGERPRINT = 'dist/console.fingerprint';

/**
 * A hash over everything that decides what the built console is: its sources, the versions of its libraries, the
 * client that it calls the API with, the program that builds it. Generated types are left out: they leave no trace in what
 * is built.
 * @param root folder of the project
 */
export function consoleFingerprint(root: string): string {
  const files = globSync(['console/**/*', 'sdk/*.ts'], { cwd: root })
    .filter((file) => statSync(join(root, file)).isFile())
    .sort();
  const hash = createHash('sha256');
  for (const file of [...files, 'package-lock.json', 'scripts/build-console.ts']) {
    // Lengths keep the border between a name and a content, and between two files.
    const content = readFileSync(join(root, file));
    hash.update(`${file}\n${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

/** Whether a console is built, and whether it is the one of the sources that are there now. */
export function stateOfConsole(root: string): 'current' | 'stale' | 'missing' {
  if (!existsSync(join(root, 'dist/console/index.html'))) return 'missing';
  const noted = join(root, FINGERPRINT);
  return existsSync(noted) && readFileSync(noted, 'utf8') === consoleFingerprint(root) ? 'current' : 'stale';
}

/** To be called with the fingerprint from before the build: what was changed meanwhile is built the next time. */
export function noteFingerprint(root: string, fingerprint: string): void {
  writeFileSync(join(root, FINGERPRINT), fingerprint);
}
