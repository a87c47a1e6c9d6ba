import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readApiDocument } from './api-document.ts';

/**
 * Holds the OpenAPI document against what others make of one: npm run lint:openapi. Two public linters must find nothing,
 * and what two generators make of it must compile, strictly. They are packages of a folder of their own, with a lockfile,
 * since nothing else needs them; it is installed where it is not. Ends with 1 when a step fails, after all were tried.
 */
const TOOLS = resolve('scripts/openapi-tools');
const folder = mkdtempSync(join(tmpdir(), 'lint-openapi-'));
const document = join(folder, 'openapi.json');

/** @returns whether it ended well; what it said is shown only where it did not */
function step(what: string, command: string, args: readonly string[], cwd = folder): boolean {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  process.stdout.write(`OpenAPI document: ${what}: ${status === 0 ? 'well' : 'FAILED'}\n`);
  if (status !== 0) process.stdout.write(`${stdout ?? ''}${stderr ?? ''}`);
  return status === 0;
}

const tool = (name: string) => join(TOOLS, 'node_modules/.bin', name);

function compiles(what: string, client: string): boolean {
  const strict = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--lib', 'es2023,dom,dom.iterable'];
  const modules = ['--module', 'esnext', '--moduleResolution', 'bundler'];
  return step(`${what} compiles`, tool('tsc'), [...strict, ...modules, client]);
}

function lint(): boolean[] {
  const types = join(folder, 'types.ts');
  return [
    step('redocly', tool('redocly'), ['lint', '--config', join(TOOLS, 'redocly.yaml'), '--max-problems=20', document]),
    step('spectral', tool('spectral'), [
      'lint',
      '--ruleset',
      join(TOOLS, 'spectral.yaml'),
      '--fail-severity=hint',
      document,
    ]),
    step('types of openapi-typescript', resolve('node_modules/.bin/openapi-typescript'), [document, '--output', types]),
    compiles('what openapi-typescript makes', types),
    step('client of openapi-ts', tool('openapi-ts'), ['--input', document, '--output', join(folder, 'client')]),
    compiles('what openapi-ts makes', join(folder, 'client/index.ts')),
  ];
}

try {
  const isThere = existsSync(tool('redocly'));
  // None of the tools needs what a package would run when it is installed.
  const install = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  if (!isThere && !step('its tools are installed', 'npm', install, TOOLS)) process.exitCode = 1;
  else {
    writeFileSync(document, await readApiDocument());
    if (lint().includes(false)) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
