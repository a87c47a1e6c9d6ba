import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * What computes and nothing else: no database, no process, no socket, nothing that has to be built. It takes seconds, so it
 * can run at every change (`npm run test:unit`, `npm run test:watch`); what is missing here runs with its neighbours.
 */
const UNIT = [
  'test/backend/access/audit-log/bounded-json.test.ts',
  'test/backend/billing/invoices/{states,times-and-numbers}.test.ts',
  'test/backend/catalog/rating/{allocation,explanation,money,order-of-rules,price-models,pricing-problems,proration,splits,vectors}.test.ts',
  'test/backend/customers/subscriptions/vectors.test.ts',
  'test/backend/http/list-bounds.test.ts',
  'test/backend/metering/usage-store/{plan,remembered-tuples,sorted-order}.test.ts',
  'test/backend/platform/{calendar-windows,instant,json,trusted-clock,validation}.test.ts',
  'test/backend/platform/period/*.test.ts',
  'test/catalog/exact-json.test.ts',
  'test/console/{money-and-keys,toasts}.test.ts',
  'test/plugin/delivery/{config,numbering,units}.test.ts',
  'test/plugin/delivery/spool/records.test.ts',
  'test/plugin/host/{frames,instances}.test.ts',
  'test/plugin/metering-and-billing/status-codes.test.ts',
  'test/properties/{entitlements,periods,rating,rating-parts,rating-shares,subscription-lines}.test.ts',
];

/** The parts of the suite, in the order in which they run: what takes long first. `npx vitest run --project plugin` runs one. */
const PROJECTS: Record<string, readonly string[]> = {
  crash: ['test/crash/**/*.test.ts'],
  console: ['test/console/**/*.test.ts'],
  plugin: ['test/{plugin,gateway-config,gateway-player,gateway-truth}/**/*.test.ts'],
  // All that is left, so that no file can be forgotten.
  backend: ['test/**/*.test.ts'],
  unit: UNIT,
};

const NAMES = Object.keys(PROJECTS);

/** With everything on PostgreSQL there is nothing to see where a test is about files, or opens what it needs itself. */
const OF_FILES =
  process.env['TEST_ENGINE'] === 'postgresql'
    ? [
        'test/backend/monitoring/{data-folder,upgrade}.test.ts',
        'test/backend/platform/**',
        'test/backend/settings/**',
        'test/backend/http/process.test.ts',
        'test/properties/rating*.test.ts',
        'test/scenarios/{backup-drill,demo,documented-commands,on-a-server,what-can-be-lost}.test.ts',
        'test/scenarios/collect-*.test.ts',
      ]
    : [];

/** The other parts' files, as far as they come before in the list or are units. */
function othersThan(name: string): string[] {
  if (name === 'unit') return [];
  const earlier = name === 'backend' ? NAMES.slice(0, NAMES.indexOf(name)) : [];
  return [...UNIT, ...earlier.flatMap((other) => PROJECTS[other] ?? [])];
}

/**
 * Part after part, as a process serves one only; in each the checks of the whole tree first: what takes long would as the last
 * one run alone, beside a worker that has nothing left to do.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ project, moduleId }: TestSpecification) =>
      2 * NAMES.indexOf(project.name) + (moduleId.includes('/test/house/') ? 0 : 1);
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}

// Each test backend starts threads, and many tests start whole processes: with compiled code at hand they cost half.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/node-compile', import.meta.url));

// What ends nobody is to wait for; long forms take minutes, on a busy machine many.
const TIMEOUT_MS = process.env['LONG'] === '1' ? 3_600_000 : 60_000;

export default defineConfig({
  test: {
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
    projects: NAMES.map((name) => ({
      extends: true as const,
      test: {
        name,
        include: [...(PROJECTS[name] ?? [])],
        exclude: [...OF_FILES, ...othersThan(name)],
        globalSetup: name === 'unit' ? [] : ['test/support/global-setup.ts'],
      },
    })),
  },
});
