import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDatabaseTemplate, TEMPLATE_VARIABLE } from './database-template.ts';
import { removeDatabases } from './postgres-cluster.ts';

/**
 * Builds what ships once, so that every test loads the files that users get: the plugins, the types of the client, and the console. Makes empty
 * databases of the newest schema too, which each test backend begins with a copy of. Every part of the suite that needs this
 * asks for it; the first one gets it.
 */
export async function setup(): Promise<() => Promise<void>> {
  if (process.env[TEMPLATE_VARIABLE] !== undefined) return async () => {};
  const template = mkdtempSync(join(tmpdir(), 'database-template-'));
  process.env[TEMPLATE_VARIABLE] = template;
  // A console of these very sources is left: building it takes longer than most files of tests.
  const builds = [
    ['scripts/build-plugin.ts'],
    ['scripts/build-sdk.ts', '--types-only'],
    ['scripts/build-console.ts', '--if-stale'],
  ];
  for (const command of builds) {
    execFileSync(process.execPath, command, { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  await makeDatabaseTemplate(template);
  return async () => {
    await removeDatabases(template);
    rmSync(template, { recursive: true });
  };
}
