import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findLongFunctions } from '../../lint/function-length.ts';

const LIMITS = { ownLines: 60, lines: 100 };
const SOURCES = '{backend,catalog,collectors,console,delivery,plugin,scripts}/**/*.ts';

/** Lists of operations and of schemas are tables: one entry after the other, with nothing between them to follow. */
const TABLES = /(Routes|Schemas)$/;

/** Longer than they should be. The list only gets shorter: one that is short enough by now has to leave it. */
const STILL_LONG = [
  'backend/metering/usage-store/postgres/postgres-usage-store.ts openPostgresUsageStore',
  'backend/metering/usage-store/postgres/tuples.ts openTuples',
  'backend/metering/usage-store/sqlite/rollup/rollup-writer.ts openRollupWriter',
  'plugin/delivery/spool/read-back.ts createReadBack',
  'plugin/usage-feed/sender.ts createUsageFeed',
];

const longFunctionsOf = (path: string) => findLongFunctions(path, readFileSync(path, 'utf8'), LIMITS);

test('functions are short enough to be read at once', () => {
  const files = globSync(SOURCES, { exclude: ['**/node_modules/**', '**/generated/**'] }).sort();
  expect(files.length).toBeGreaterThan(500);
  const found = files.flatMap((path) => longFunctionsOf(path).map(({ name }) => `${path} ${name}`));
  expect(found.filter((name) => !TABLES.test(name))).toEqual(STILL_LONG);
});

test('a function is judged by what stands in it directly, a closure by its whole length too', () => {
  const lines = (count: number) => '  call();\n'.repeat(count);
  const found = (text: string) => findLongFunctions('sample.ts', text, LIMITS);
  expect(found(`function short() {\n${lines(58)}}`)).toEqual([]);
  expect(found(`function long() {\n${lines(59)}}`)).toEqual([{ name: 'long', ownLines: 61, lines: 61 }]);
  const inner = (count: number) => `const inner = () => {\n${lines(count)}};\n`;
  expect(found(`function outer() {\n${lines(50)}${inner(40)}}`)).toEqual([]);
  expect(found(`function outer() {\n${lines(50)}${inner(50)}}`)).toEqual([{ name: 'outer', ownLines: 52, lines: 104 }]);
});
