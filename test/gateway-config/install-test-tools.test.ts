import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { findCommand, type Run, run } from '../support/programs.ts';

const BASH = findCommand('bash') ?? '/bin/bash';

let machine: string;
beforeEach(() => {
  machine = mkdtempSync(join(tmpdir(), 'machine-'));
  onTestFinished(() => rmSync(machine, { recursive: true }));
  symlinkSync(findCommand('tail') ?? '/usr/bin/tail', join(machine, 'tail'));
  // All that tests need but deck.
  for (const name of ['curl', 'openssl', 'jq', 'chromium', 'pdftotext']) put(name, '');
});

/** Puts a command on the machine that says on a list what it was called with, then runs `script`. */
function put(name: string, script: string): void {
  const text = `#!${BASH}\necho "${name} $*" >>${machine}/calls\n${script}\n`;
  writeFileSync(join(machine, name), text, { mode: 0o755 });
}

/** A package manager that has the package once `needsUpdate` is dealt with. */
function putAptGet({ needsUpdate, works = true }: { needsUpdate: boolean; works?: boolean }): void {
  put(
    'apt-get',
    `if [[ $1 == update ]]; then echo yes >${machine}/updated; exit 0; fi
    if [[ ${works} == false ]]; then echo 'E: no network'; exit 100; fi
    if [[ ${needsUpdate} == true && ! -e ${machine}/updated ]]; then echo 'E: Unable to locate package'; exit 100; fi`,
  );
}

function install(): Run {
  return run(BASH, [resolve('scripts/install-test-tools.sh')], { env: { PATH: machine } });
}

/** The first word of each call, and of apt-get's the second: what it was asked to do. */
function calls(): string[] {
  const list = join(machine, 'calls');
  const lines = existsSync(list) ? readFileSync(list, 'utf8').trim().split('\n') : [];
  return lines.map((line) => line.split(' ').slice(0, 2).join(' '));
}

test('with everything there it does nothing and says nothing', () => {
  put('deck', '');
  putAptGet({ needsUpdate: false });
  expect(install()).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(calls()).toEqual([]);
});

test('as root it installs what is missing, without fetching lists that do', () => {
  put('id', 'echo 0');
  putAptGet({ needsUpdate: false });
  expect(install()).toEqual({ code: 0, stdout: '', stderr: 'Installing what tests need: deck\n' });
  expect(calls()).toEqual(['id -u', 'apt-get install']);
});

test('as root it fetches the lists of packages once where they are needed', () => {
  put('id', 'echo 0');
  putAptGet({ needsUpdate: true });
  expect(install()).toEqual({ code: 0, stdout: '', stderr: 'Installing what tests need: deck\n' });
  expect(calls()).toEqual(['id -u', 'apt-get install', 'apt-get update', 'apt-get install']);
});

test('a package that cannot be had does not stop the tests, and is named with the reason', () => {
  put('id', 'echo 0');
  putAptGet({ needsUpdate: false, works: false });
  const { code, stderr } = install();
  expect(code).toBe(0);
  expect(stderr).toContain('E: no network');
  expect(stderr).toContain('Missing: deck (to validate kong.yml)');
  expect(calls().filter((call) => call === 'apt-get update')).toHaveLength(1);
});

test('another user is told what is missing', () => {
  put('id', 'echo 1000');
  putAptGet({ needsUpdate: false });
  const { code, stderr } = install();
  expect(code).toBe(0);
  expect(stderr).toContain('apt-get install deck. Missing: deck (to validate kong.yml)');
  expect(calls()).toEqual(['id -u']);
});

test('so is one whose machine has no Debian packages', () => {
  const { code, stderr } = install();
  expect(code).toBe(0);
  expect(stderr).toContain('Missing: deck (to validate kong.yml)');
});
