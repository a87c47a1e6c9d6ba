import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDatabaseTemplate, TEMPLATE_VARIABLE } from './database-template.ts';

/**
 * Builds what ships once, so that every test loads the files that users get: the plugins and the console. Makes empty
 * databases of the newest schema too, which each test backend begins with a copy of.
 */
export async function setup(): Promise<() => void> {
  // A console of these very sources is left: building it takes longer than most files of tests.
  for (const command of [['scripts/build-plugin.ts'], ['scripts/build-console.ts', '--if-stale']]) {
    execFileSync(process.execPath, command, { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  const template = mkdtempSync(join(tmpdir(), 'database-template-'));
  await makeDatabaseTemplate(template);
  process.env[TEMPLATE_VARIABLE] = template;
  return () => rmSync(template, { recursive: true });
}
