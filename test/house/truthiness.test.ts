import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { findTruthinessTests } from '../../lint/truthiness.ts';

const SAMPLES = 'test/house/truthiness-samples.ts';
/** What ships and computes; pages of the console have their own checker. */
const FOLDERS = /^(backend|delivery|plugin|collectors|catalog)\//;

test('no number, text or decimal is asked whether it is true', () => {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
  const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
  const roots = fileNames.filter((name) => FOLDERS.test(name.replace(/^\.\//, '')) || name.endsWith(SAMPLES));
  expect(roots.length).toBeGreaterThan(500);
  const found = findTruthinessTests(ts.createProgram(roots, options), (path) => FOLDERS.test(path) || path === SAMPLES);
  const ofSamples = found.filter(({ at }) => at.startsWith(SAMPLES)).map(({ at }) => at);
  const expected = readFileSync(SAMPLES, 'utf8')
    .split('\n')
    .flatMap((line, index) => (line.endsWith('// found') ? [`${SAMPLES}:${index + 1}`] : []));
  expect(expected.length).toBeGreaterThan(10);
  expect(ofSamples).toEqual(expected);
  expect(found.filter(({ at }) => !at.startsWith(SAMPLES))).toEqual([]);
}, 600_000);
