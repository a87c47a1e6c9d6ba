import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { plainEnv, type Run, run } from './support/programs.ts';

let folder: string;
let clone: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ci-run-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  clone = join(folder, 'clone');
  cpSync('.ci', join(clone, '.ci'), { recursive: true });
  mkdirSync(join(folder, 'bin'));
});

/** Runs the script in a clone where npm only says what it was asked; `failing` is the subcommand that fails. */
function ci(failing: string): Run {
  const script = `#!/bin/sh\necho "npm $* in $(pwd) with [$OPENMETER_V3_OPENAPI]"\n[ "$1" != "${failing}" ] || exit 7\n`;
  writeFileSync(join(folder, 'bin', 'npm'), script, { mode: 0o755 });
  const { PATH, ...rest } = plainEnv();
  return run('bash', [join(clone, '.ci', 'run')], {
    env: { ...rest, PATH: `${join(folder, 'bin')}:${PATH}` },
    cwd: '/',
  });
}

test("it is the README's test command, run in the root of the project", () => {
  expect(readFileSync('.ci/run', 'utf8').trim().split('\n').at(-1)).toBe('npm ci && npm test');
  expect(readFileSync('README.md', 'utf8')).toMatch(/^npm ci && npm test$/m);
  const { code, stdout } = ci('nothing');
  expect(code).toBe(0);
  expect(stdout.split('\n')).toEqual([`npm ci in ${clone} with []`, `npm test in ${clone} with []`, '']);
});

test.for(['ci', 'test'])('it fails when npm %s fails', (failing) => {
  expect(ci(failing).code).toBe(7);
});

test("tests get OpenMeter's contract where it is at hand", () => {
  const file = join(folder, 'shared', 'reference', 'openmeter-v3.openapi.yaml');
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, '');
  expect(ci('nothing').stdout).toContain(`npm test in ${clone} with [${file}]`);
});
