import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const LONG = process.env['LONG'] === '1';
/** The short form has as much less of a heap as it has fewer combinations; each combination occurs in four meters. */
const { combinations, heapMb } = LONG ? { combinations: 200_000, heapMb: 400 } : { combinations: 20_000, heapMb: 96 };
/** The limit of deploy/kubernetes/backend.yaml. */
const LIMIT_BYTES = 1024 ** 3;

/** A group of processes that the system ends when they need more memory; undefined where none can be made here. */
function memoryGroup(): string | undefined {
  const group = `/sys/fs/cgroup/memory/combinations-${process.pid}`;
  try {
    mkdirSync(group);
    writeFileSync(join(group, 'memory.limit_in_bytes'), `${LIMIT_BYTES}`);
  } catch {
    return undefined;
  }
  onTestFinished(() => rmdirSync(group));
  return group;
}

test(`${combinations} combinations of dimension values do not fill a heap of ${heapMb} MB, and a start takes up again`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'combinations-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const group = memoryGroup();
  const enter = group === undefined ? '' : `echo $$ > ${group}/cgroup.procs && `;
  const run = async (events: number) => {
    const program = [
      `--max-old-space-size=${heapMb}`,
      'test/crash/support/many-combinations.ts',
      join(folder, 'usage.sqlite'),
      `${events}`,
    ];
    const { stdout } = await promisify(execFile)('sh', ['-c', `${enter}exec "$0" "$@"`, process.execPath, ...program]);
    return JSON.parse(stdout) as { stored: number };
  };
  expect((await run(combinations)).stored).toBe(combinations);
  expect((await run(combinations + 1000)).stored).toBe(combinations + 1000);
}, 3_600_000);
