import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configOf, dryRun, sumsOf } from '../../support/collectors/prometheus/collecting.ts';
import {
  type History,
  HOW_TO_GET_IT,
  hasPrometheus,
  type RealPrometheus,
  startPrometheus,
} from '../../support/collectors/prometheus/real-prometheus.ts';
import { tempFolder } from '../../support/collectors/surroundings.ts';

/**
 * 300 s of a real Prometheus (2 s scrapes of one exporter): a restart at +70 s, a series gone from +120 to +160 s, scrapes that
 * failed from +180 to +200 s, a SIGKILL of Prometheus at +220 s and back at +246 s. `truth` is what really happened.
 */
const story = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/collectors/prometheus-story.json'), 'utf8'),
) as { startMs: number; truth: Record<string, number>; history: History[] };
const WINDOW_MS = 20_000;

let prometheus: RealPrometheus;
let startMs: number;
const folder = tempFolder();
beforeAll(async () => {
  if (!hasPrometheus) return;
  // An hour ago, so that it is within what a collector catches up with.
  const byMs = Math.floor((Date.now() - 3_600_000 - story.startMs) / WINDOW_MS) * WINDOW_MS;
  startMs = story.startMs + byMs;
  prometheus = await startPrometheus(
    story.history.map((one) => ({ ...one, samples: one.samples.map(([at, value]) => [at + byMs, value] as const) })),
  );
});
afterAll(async () => {
  await prometheus?.close();
  folder.remove();
});

const inputOf = (more: string) => `url: "${prometheus.url}"
schedule: "@every 20s"
start: ${new Date(startMs).toISOString()}
${more}`;

describe.skipIf(!hasPrometheus)(`a recorded story (${HOW_TO_GET_IT})`, () => {
  test('a counter loses what no scrape saw, and nothing else', async () => {
    const config = configOf(
      inputOf('counters: [{ counter: { name: requests, selector: billing_requests_total, by: [tenant] } }]'),
      folder.path,
      'http://127.0.0.1:1',
    );
    const events = (await dryRun(config)).filter(({ time }) => Date.parse(time) < startMs + 300_000);
    // 2 of a and 2 of d between the last scrape and the restart; 17 of a and 2 of d after the last scrape; of b and c nothing
    // but what came after the last scrape. Sums of increase() are 15 to 32 % too low.
    expect(sumsOf(events)).toEqual({ a: '2663', b: '8653', c: '318', d: '760' });
    expect(story.truth).toEqual({ a: 2682, b: 8653, c: 318, d: 764 });
  });

  test('a query gives what Prometheus answers at the end of each window, digit by digit', async () => {
    const promql = 'sum by (tenant) (increase(billing_requests_total[20s]))';
    const config = configOf(
      inputOf(`queries: [{ query: { name: requests, promql: "${promql.replace('20s', '$interval')}" } }]`),
      folder.path,
      'http://127.0.0.1:1',
    );
    const events = await dryRun(config);
    let compared = 0;
    for (let end = startMs + WINDOW_MS; end <= startMs + 300_000; end += WINDOW_MS) {
      const from = new Date(end - WINDOW_MS).toISOString();
      const wanted = await prometheus.ask(promql, end);
      const got = events.filter(({ time }) => time === from);
      expect(Object.fromEntries(got.map(({ subject, data }) => [subject, data.value]))).toEqual(
        Object.fromEntries(wanted.map(({ metric, value }) => [metric['tenant'], value[1]])),
      );
      compared += wanted.length;
    }
    expect(compared).toBeGreaterThan(40);
  });
});
