import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { plainEnv, type Run, run } from '../support/programs.ts';

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
  expect(readFileSync('README.md', 'utf8')).toMatch(/^npm ci && npm test$/m);
  const { code, stdout } = ci('nothing');
  expect(code).toBe(0);
  expect(stdout.split('\n')).toEqual([
    `npm ci in ${clone} with []`,
    `npm run --silent audit:dependencies in ${clone} with []`,
    `npm run --silent lint:openapi in ${clone} with []`,
    `npm test in ${clone} with []`,
    '',
  ]);
});

test.for(['ci', 'run', 'test'])('it fails when npm %s fails', (failing) => {
  expect(ci(failing).code).toBe(7);
});

test("tests get OpenMeter's contract where it is at hand", () => {
  const file = join(folder, 'shared', 'reference', 'openmeter-v3.openapi.yaml');
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, '');
  expect(ci('nothing').stdout).toContain(`npm test in ${clone} with [${file}]`);
});

test.for([
  ['none are known', 0, 'with known faults', audit({})],
  ['one is high', 1, 'left-pad (high)', audit({ 'left-pad': 'high' })],
  ['one is low', 0, 'left-pad (low)', audit({ 'left-pad': 'low' })],
  [
    'the registry has no audit',
    0,
    'NOTHING WAS CHECKED. The registry does not answer an audit',
    { message: '405 Method Not Allowed', statusCode: 405 },
  ],
  ['npm says nothing', 0, 'NOTHING WAS CHECKED. The registry does not answer an audit', ''],
] as const)('the audit of what ships, when %s', ([, expected, said, answer]) => {
  const text = answer === '' ? '' : JSON.stringify(answer);
  writeFileSync(join(folder, 'bin', 'npm'), `#!/bin/sh\ncat <<'END'\n${text}\nEND\nexit 1\n`, { mode: 0o755 });
  const { PATH, ...rest } = plainEnv();
  const { code, stdout } = run(process.execPath, ['scripts/audit-dependencies.ts'], {
    env: { ...rest, PATH: `${join(folder, 'bin')}:${PATH}` },
  });
  expect({ code, stdout }).toEqual({ code: expected, stdout: expect.stringContaining(said) });
});

/** What npm prints of an audit, as far as it is read. */
function audit(severities: Record<string, string>) {
  const vulnerabilities = Object.fromEntries(
    Object.entries(severities).map(([name, severity]) => [name, { name, severity, isDirect: false }]),
  );
  return { auditReportVersion: 2, vulnerabilities, metadata: { dependencies: { prod: 30 } } };
}
