import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes long comes first: as the last one it would run alone, beside a worker that has nothing left to do. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const takesLong = ({ moduleId }: TestSpecification) => /\/test\/(house|console|crash)\//.test(moduleId);
    return [...sorted.filter(takesLong), ...sorted.filter((file) => !takesLong(file))];
  }
}

// Each test backend starts threads, and many tests start whole processes: with compiled code at hand they cost half.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/node-compile', import.meta.url));

// What ends nobody is to wait for; long forms take minutes, on a busy machine many.
const TIMEOUT_MS = process.env['LONG'] === '1' ? 3_600_000 : 60_000;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/closing-line-reporter.ts'],
    // Two cores on the smallest machine that we test on; more workers only make the timers late.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // Test files share a process: what they import is loaded and compiled once. Nothing may stay behind in globals.
    isolate: false,
    testTimeout: TIMEOUT_MS,
    hookTimeout: TIMEOUT_MS,
    // What is waited for comes at once, unless the machine is busy with something else.
    expect: { poll: { timeout: 30_000, interval: 20 } },
  },
});
