import { execFileSync } from 'node:child_process';

/** Builds the plugin once, so that every test loads the file that ships. */
export function setup(): void {
  execFileSync(process.execPath, ['scripts/build-plugin.ts'], { stdio: ['ignore', 'ignore', 'inherit'] });
}
