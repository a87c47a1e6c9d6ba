import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const tool = (name: string, ...args: string[]) =>
  run(process.execPath, [join('node_modules', name), ...args], { maxBuffer: 10_000_000 }).then(
    ({ stdout }) => ({ ok: true, output: stdout }),
    (error: { stdout: string; stderr: string }) => ({ ok: false, output: error.stdout + error.stderr }),
  );
const imports = (...folders: string[]) =>
  tool(
    'dependency-cruiser/bin/dependency-cruiser.mjs',
    '--no-progress',
    '--config',
    '.dependency-cruiser.mjs',
    ...folders,
  );

// What "npm run check" does, but for types (beside this file) and those of the console's pages, so that it holds wherever the tests run.
test('the import rules hold', async () => {
  expect(
    await imports(
      'backend',
      'delivery',
      'plugin',
      'collectors',
      'catalog',
      'console',
      'demo',
      'test',
      'scripts',
      'bin',
    ),
  ).toMatchObject({
    ok: true,
  });
});

test('format and lint', async () => {
  expect(await tool('@biomejs/biome/bin/biome', 'check', '.')).toMatchObject({ ok: true });
});

test('a forbidden import is found', async () => {
  const folder = mkdtempSync('backend/platform/forbidden-');
  try {
    writeFileSync(join(folder, 'upwards.ts'), "import '../../app.ts';\n");
    const { ok, output } = await imports(folder);
    expect({ ok, output }).toMatchObject({
      ok: false,
      output: expect.stringContaining('platform-imports-nothing-of-ours'),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
