import { execFileSync } from 'node:child_process';

/** Builds what ships once, so that every test loads the files that users get: the plugins and the console. */
export function setup(): void {
  for (const script of ['scripts/build-plugin.ts', 'scripts/build-console.ts']) {
    execFileSync(process.execPath, [script], { stdio: ['ignore', 'ignore', 'inherit'] });
  }
}
