import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const LONG = process.env['LONG'] === '1';
/** In the long form the manifest's limit; in the short one as much less as there are fewer combinations. */
const { combinations, heapMb } = LONG ? { combinations: 1_000_000, heapMb: 400 } : { combinations: 60_000, heapMb: 96 };

test(`${combinations} combinations of dimension values do not fill a heap of ${heapMb} MB, and a start takes up again`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'combinations-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const run = async (events: number) => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      `--max-old-space-size=${heapMb}`,
      'test/crash/support/many-combinations.ts',
      join(folder, 'usage.sqlite'),
      `${events}`,
    ]);
    return JSON.parse(stdout) as { stored: number };
  };
  expect((await run(combinations)).stored).toBe(combinations);
  expect((await run(combinations + 1000)).stored).toBe(combinations + 1000);
}, 3_600_000);
