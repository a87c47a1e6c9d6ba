import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type IngestServer, startIngestServer } from '../../support/collectors/ingest-server.ts';
import { type Collected, configOf, dryRun, sumsOf } from '../../support/collectors/prometheus/collecting.ts';
import { createWorld, type Disturbance, FAULTS } from '../../support/collectors/prometheus/disturbances.ts';
import { twentyMinutes } from '../../support/collectors/prometheus/histories.ts';
import { type QueryServer, startQueryServer } from '../../support/collectors/prometheus/query-server.ts';
import {
  HOW_TO_GET_IT,
  hasPrometheus,
  type RealPrometheus,
  startPrometheus,
} from '../../support/collectors/prometheus/real-prometheus.ts';
import { tempFolder } from '../../support/collectors/surroundings.ts';
import { fc } from '../../support/property.ts';

/**
 * Kills, restarts, network loss, a second collector, steps of the clock, outages of the source and of the backend, in any
 * order: what is stored in the end is, event by event, what a run that nothing happened to gives.
 */
const RUNS = process.env['LONG'] === '1' ? 200 : 3;
const HOUR_MS = 3_600_000;

const story = twentyMinutes(Math.floor(Date.now() / 60_000) * 60_000 - 30 * 60_000);
let prometheus: RealPrometheus;
beforeAll(async () => {
  if (hasPrometheus) prometheus = await startPrometheus(story.history);
});
afterAll(async () => {
  await prometheus?.close();
});

const configFor = (url: string, folder: string, output: string) =>
  configOf(
    `url: "${url}"
schedule: "*/15 * * * * *"
start: ${new Date(story.startMs).toISOString()}
wait_for_samples: 0s
timeout: 2s
queries:
  - query: { name: gpus, promql: "sum by (tenant) (avg_over_time(gpus[$interval]))" }
  - query: { name: increase, promql: "sum by (tenant) (increase(used_seconds_total[1m]))", range: any }
counters:
  - counter: { name: used, selector: used_seconds_total, by: [tenant] }`,
    folder,
    output,
  );

/** Questions until the next disturbance, so that it comes in the middle, however busy the machine is. */
const questions = fc.integer({ min: 0, max: 50 });
/** While nothing is answered, few questions come. */
const MOST_MS = 1500;
const disturbance: fc.Arbitrary<Disturbance> = fc.oneof(
  fc.record({ kind: fc.constant('end' as const), signal: fc.constantFrom('SIGKILL' as const, 'SIGTERM' as const) }),
  fc.record({ kind: fc.constant('second' as const), isRunning: fc.boolean() }),
  fc.record({
    kind: fc.constant('clock' as const),
    aheadMs: fc.constantFrom(0, -HOUR_MS, -300_000, 300_000, 24 * HOUR_MS),
  }),
  fc.record({ kind: fc.constant('source' as const), fault: fc.constantFrom(...FAULTS) }),
  fc.record({ kind: fc.constant('backend' as const), isDown: fc.boolean() }),
);
/** One of each, in the middle of the way: always the first sequence. */
const EVERYTHING: [number, Disturbance][] = [
  [20, { kind: 'source', fault: 'partial' }],
  [5, { kind: 'end', signal: 'SIGKILL' }],
  [2, { kind: 'source', fault: 'empty and partial' }],
  [2, { kind: 'source', fault: 'none' }],
  [20, { kind: 'clock', aheadMs: 24 * HOUR_MS }],
  [10, { kind: 'second', isRunning: true }],
  [20, { kind: 'source', fault: 'half' }],
  [2, { kind: 'source', fault: 'none' }],
  [20, { kind: 'backend', isDown: true }],
  [5, { kind: 'end', signal: 'SIGTERM' }],
];
const OVER: readonly Disturbance[] = [
  { kind: 'source', fault: 'none' },
  { kind: 'backend', isDown: false },
  { kind: 'clock', aheadMs: 0 },
];

async function untilAsked({ asked }: QueryServer, count: number, mostMs: number): Promise<void> {
  const [wanted, begunAt] = [asked.length + count, performance.now()];
  while (asked.length < wanted && performance.now() - begunAt < mostMs) await pause(2);
}

const inOrder = (events: readonly Collected[]) => events.toSorted((a, b) => (a.id < b.id ? -1 : 1));
const storedIn = ({ bodies }: IngestServer) => [...bodies.values()].map((body) => JSON.parse(body) as Collected);

describe.skipIf(!hasPrometheus)(`whatever happens (${HOW_TO_GET_IT})`, () => {
  test(`${RUNS} sequences of disturbances give the usage of an undisturbed run`, async () => {
    const wanted = inOrder(await dryRun(configFor(prometheus.url, '/tmp', 'http://127.0.0.1:1')));
    // By hand: tenths on the first target and 0.7 on the second; b whole, since its target was scraped without it before.
    expect(sumsOf(wanted, 'used')).toEqual(story.seen);
    expect(wanted.filter(({ type }) => type === 'gpus')).toHaveLength(68);

    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(questions, disturbance), { minLength: 2, maxLength: 6 }), async (steps) => {
        const folder = tempFolder();
        const [ingest, source] = await Promise.all([startIngestServer(), startQueryServer(prometheus.url)]);
        const world = createWorld(source, ingest, (spool) => {
          const file = join(folder.path, `${spool}.yaml`);
          writeFileSync(
            file,
            configFor(source.url, folder.path, ingest.url).replace('spool.sqlite', `${spool}.sqlite`),
          );
          return file;
        });
        try {
          world.begin();
          await untilAsked(source, 1, Number.POSITIVE_INFINITY);
          for (const [count, one] of steps) {
            await untilAsked(source, count, MOST_MS);
            await world.apply(one);
          }
          for (const one of OVER) await world.apply(one);
          await expect.poll(() => ingest.bodies.size, { timeout: 120_000, interval: 50 }).toBe(wanted.length);
        } finally {
          await world.close();
          await Promise.all([ingest.close(), source.close()]);
          folder.remove();
        }
        expect(inOrder(storedIn(ingest))).toEqual(wanted);
        expect(ingest.changed).toEqual([]);
      }),
      { numRuns: RUNS, endOnFailure: true, examples: [[EVERYTHING]] },
    );
  });
});
