import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { consoleFingerprint, noteFingerprint, stateOfConsole } from '../../scripts/console-fingerprint.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'console-build-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const path of ['console', 'sdk', 'package-lock.json', 'scripts/build-console.ts']) {
    cpSync(path, join(root, path), { recursive: true });
  }
});
const build = () => {
  mkdirSync(join(root, 'dist/console'), { recursive: true });
  writeFileSync(join(root, 'dist/console/index.html'), '');
  noteFingerprint(root, consoleFingerprint(root));
};

test('a console that was never built is missing, one of these sources is current', () => {
  expect(stateOfConsole(root)).toBe('missing');
  build();
  expect(stateOfConsole(root)).toBe('current');
});

test.for([
  ['a page', 'console/app.vue'],
  ['a new file', 'console/pages/new.vue'],
  ['a file that is copied as it is', 'console/public/favicon.svg'],
  ['the client of the API', 'sdk/client.ts'],
  ['a library', 'package-lock.json'],
  ['the way of building', 'scripts/build-console.ts'],
] as const)('it is stale when %s changes', ([, path]) => {
  build();
  writeFileSync(join(root, path), 'changed');
  expect(stateOfConsole(root)).toBe('stale');
});

test('it is stale when a file goes or moves, and not when types are generated anew', () => {
  build();
  mkdirSync(join(root, 'sdk/generated'), { recursive: true });
  writeFileSync(join(root, 'sdk/generated/schema.ts'), 'export {};');
  expect(stateOfConsole(root)).toBe('current');
  cpSync(join(root, 'console/app.vue'), join(root, 'console/moved.vue'));
  rmSync(join(root, 'console/app.vue'));
  expect(stateOfConsole(root)).toBe('stale');
});

test('one that was built by an older program, which noted nothing, is stale', () => {
  build();
  rmSync(join(root, 'dist/console.fingerprint'));
  expect(stateOfConsole(root)).toBe('stale');
});

test('"npm start" builds nothing when the console is current', () => {
  // The run of all tests has built it.
  if (stateOfConsole('.') !== 'current') return;
  const said = execFileSync(process.execPath, ['scripts/build-console.ts', '--if-stale'], { stdio: 'pipe' });
  expect(said.toString()).toBe('');
});
